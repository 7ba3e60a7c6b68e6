/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What report.html does without its charts: the bar on top, flame graphs; and small tools. */
var page = (function () {
'use strict';

function all(selector, within) {
	return Array.prototype.slice.call((within || document).querySelectorAll(selector));
}

function json(element) {
	return element ? JSON.parse(element.textContent) : null;
}

function colour(name) {
	return getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
}

function alpha(name, share) {
	var c = colour(name), n = parseInt(c.slice(1, 7), 16);
	return 'rgba(' + (n >> 16) + ',' + (n >> 8 & 255) + ',' + (n & 255) + ',' + share + ')';
}

function addOption(select, value, text) {
	var option = document.createElement('option');
	option.value = value;
	option.textContent = text;
	select.appendChild(option);
}

/* Chromium prints a canvas by doing again what was done on it, and loses what was clipped there. */
function toPicture(canvas) {
	var picture = document.createElement('img');
	picture.src = canvas.toDataURL();
	picture.alt = '';
	picture.className = 'picture';
	picture.style.cssText = canvas.style.cssText;
	canvas.parentNode.insertBefore(picture, canvas);
	canvas.classList.add('on-paper');
}

/* What a part of the page is not there for has no place in the bar. */
function setNavigation() {
	all('nav a').forEach(function (link) {
		if (!document.getElementById(link.hash.slice(1))) link.remove();
	});
}

/* A flame graph is unpacked into a frame when it is first opened, and goes with the page. */
function openFlame(details) {
	var packed = details.querySelector('.packed'), bytes, text, i, frame;
	if (!packed || !details.open) return;
	packed.remove();
	if (!window.DecompressionStream) {
		details.appendChild(document.createTextNode(
			'This browser cannot unpack it; flame-*.svg beside this page shows the same.'));
		return;
	}
	text = atob(packed.textContent.replace(/\s/g, ''));
	bytes = new Uint8Array(text.length);
	for (i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
	frame = document.createElement('iframe');
	frame.title = details.querySelector('summary').textContent;
	details.appendChild(frame);
	new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text()
		.then(function (svg) {
			frame.dataset.tall = /<svg[^>]* height="([\d.]+)"/.exec(svg)[1];
			fitFlame(frame);
			frame.src = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
		});
}

/* A browser scales a graph into its frame: as high as it is drawn, which is for 960 px at least. */
function fitFlame(frame) {
	var wide = frame.clientWidth;
	if (wide) frame.style.height = Math.ceil(frame.dataset.tall * Math.min(1, wide / 960)) + 2 + 'px';
}

setNavigation();
all('.flame').forEach(function (details) {
	details.addEventListener('toggle', function () { openFlame(details); });
});
window.addEventListener('resize', function () { all('.flame iframe').forEach(fitFlame); });
return { all: all, json: json, colour: colour, alpha: alpha, addOption: addOption, toPicture: toPicture };
})();
