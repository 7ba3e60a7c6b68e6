/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report.html: numbers as its tables have them, and where axes have their marks. Pure. */
var numbers = (function () {
'use strict';

function digits(value) {
	var size = Math.abs(value);
	return value === 0 ? '0' : value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}

function scaled(value, steps) {
	var i = 0;
	while (i + 1 < steps.length && Math.abs(value) < steps[i][0] * 0.9995) i++;
	return digits(value / steps[i][0]) + steps[i][1];
}

var SECONDS = [[1, ' s'], [1e-3, ' ms'], [1e-6, ' us'], [1e-9, ' ns']];
var BYTES = [[1099511627776, ' TiB'], [1073741824, ' GiB'], [1048576, ' MiB'], [1024, ' KiB'], [1, ' B']];
var COUNTS = [[1e9, ' G'], [1e6, ' M'], [1e3, ' k'], [1, '']];

var FORMATS = {
	ratio: function (v) { return digits(v * 100) + ' %'; },
	seconds: function (v) { return v === 0 ? '0 s' : scaled(v, SECONDS); },
	bytes: function (v) { return v === 0 ? '0' : scaled(v, BYTES); },
	count: function (v) { return v === 0 ? '0' : scaled(v, COUNTS); }
};

/* Of an axis: no more digits than there are. */
function short(format) {
	return function (v) { return format(v).replace(/(\.\d*?)0+(?=\D|$)/, '$1').replace(/\.(?=\D|$)/, ''); };
}

function pad(v) {
	return (v < 10 ? '0' : '') + v;
}

/* Of a round: "1.5 s", "2:05", "1:00:00". */
function time(v) {
	var whole = Math.floor(v + 1e-9), hours = Math.floor(whole / 3600);
	if (v < 60) return v === 0 ? '0 s' : FORMATS.seconds(v);
	return (hours ? hours + ':' + pad(Math.floor(whole / 60) % 60) : Math.floor(whole / 60)) + ':' + pad(whole % 60);
}

var TIME_STEPS = [1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900,
	1800, 3600, 7200, 14400, 43200, 86400];

function timeTicks(from, to, pixels) {
	var most = Math.max(2, pixels / 75), ticks = [], v, step;
	step = TIME_STEPS.filter(function (s) { return (to - from) / s <= most; })[0] || (to - from) / 4;
	for (v = Math.ceil(from / step - 1e-9) * step; v <= to + step * 1e-6; v += step)
		ticks.push({ v: v, label: short(time)(Math.round(v / step) * step) });
	return ticks;
}

/* Percentiles: log10(1/(1-p)) as "99.9 %". */
function percentile(x) {
	var nines = Math.max(0, Math.ceil(x) - 2);
	return (100 - 100 * Math.pow(10, -x)).toFixed(nines) + ' %';
}

function percentileTicks(from, to) {
	var marks = [0, Math.log10(2), 1, Math.log10(20), 2, 3, 4, 5, 6, 7, 8];
	return marks.filter(function (m) { return m >= from - 1e-9 && m <= to + 1e-9; })
		.map(function (m) { return { v: m, label: percentile(m) }; });
}

function powers(from, to) {
	var ticks = [], wide = Math.log10(to / from) > 3.2, p, m;
	for (p = Math.floor(Math.log10(from)); p <= Math.ceil(Math.log10(to)); p++)
		for (m = 1; m < 10; m += m === 1 ? 1 : m === 2 ? 3 : 5)
			if (m * Math.pow(10, p) >= from && m * Math.pow(10, p) <= to && (m === 1 || !wide))
				ticks.push({ v: m * Math.pow(10, p), label: short(FORMATS.seconds)(m * Math.pow(10, p)) });
	return ticks;
}

return { FORMATS: FORMATS, short: short, time: time, timeTicks: timeTicks, percentile: percentile,
	percentileTicks: percentileTicks, powers: powers };
})();
