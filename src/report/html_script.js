/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How report.html acts: draws its charts with dygraphs, keeps those over time together, and changes
 * between light and dark. Strings come from the record, and are only ever put in as text.
 */
(function () {
'use strict';

var FORMATS = numbers.FORMATS, short = numbers.short, time = numbers.time, percentile = numbers.percentile;
var all = page.all, json = page.json, colour = page.colour, alpha = page.alpha;
var addOption = page.addOption, toPicture = page.toPicture;
var root = document.documentElement;
var dark = window.matchMedia('(prefers-color-scheme: dark)');
var chosen = null; /* by the button: 'dark', 'light' */
var charts = [], spans = [], shown = { A: true, B: true, median: true, pair: '' };
var LETTERS = ['A', 'B'];
var KINDS = ['phase', 'fault'];
var PAPER = { width: 660, height: 190 };

/* --- what all charts share */

function options(more) {
	var base = {
		legend: 'never', showLabelsOnHighlight: false, animatedZooms: false, labelsUTC: true,
		gridLineColor: alpha('line', 0.7), axisLineColor: colour('line'), axisLabelFontSize: 11,
		highlightCircleSize: 3, includeZero: true, yRangePad: 6, rangeSelectorHeight: 0
	};
	Object.keys(more).forEach(function (key) { base[key] = more[key]; });
	return base;
}

/* Words and numbers above a chart: [text, class] each. */
function tell(chart, parts) {
	chart.readout.textContent = '';
	parts.forEach(function (part) {
		var span = document.createElement('span');
		span.textContent = part[0] + ' ';
		if (part[1]) span.className = part[1];
		chart.readout.appendChild(span);
	});
}

/* --- over time */

/* Every other phase is shaded, faults in their colour. */
function shade(canvas, area, graph) {
	var phases = 0;
	spans.forEach(function (span) {
		var left = graph.toDomXCoord(span.from), right = graph.toDomXCoord(span.to);
		if (span.kind === 'phase' && phases++ % 2) return;
		canvas.fillStyle = span.kind === 'fault' ? alpha('fault', 0.14) : alpha('soft', 0.08);
		canvas.fillRect(left, area.y, Math.max(right - left, 1.5), area.h);
	});
}

/* Names of phases above the chart, of faults below them; one that would meet another is left out. */
function label(chart, graph) {
	var area = graph.getArea(), ends = { phase: 0, fault: 0 };
	chart.labels.textContent = '';
	spans.forEach(function (span) {
		var left = Math.max(graph.toDomXCoord(span.from), area.x), name;
		if (left > area.x + area.w || graph.toDomXCoord(span.to) < area.x || left < ends[span.kind]) return;
		name = document.createElement('span');
		name.className = span.kind;
		name.textContent = span.name;
		name.style.left = left + 'px';
		name.style.maxWidth = area.x + area.w - left + 'px';
		chart.labels.appendChild(name);
		ends[span.kind] = left + name.offsetWidth + 6;
	});
}

/* Columns of a chart: each a line of a round, or the median of a side, or its band. */
function columns(data) {
	var list = [];
	data.rounds.forEach(function (round) {
		list.push({ side: LETTERS[round.side], pair: round.pair, y: round.y });
	});
	[0, 1].forEach(function (side) {
		if (data.low[side]) list.push({ side: LETTERS[side], band: true, y: data.low[side] });
		if (data.high[side]) list.push({ side: LETTERS[side], band: true, y: data.high[side] });
		if (data.median[side]) list.push({ side: LETTERS[side], median: true, y: data.median[side] });
	});
	return list;
}

function isShown(column) {
	if (!shown[column.side]) return false;
	if (column.median) return shown.median;
	if (column.band) return true;
	return shown.pair === '' || (shown.pair !== 'none' && column.pair === +shown.pair);
}

/* The area between the two lines of a band; they themselves are not drawn. */
function bands(chart) {
	return function (canvas, area, graph) {
		shade(canvas, area, graph);
		['A', 'B'].forEach(function (side) {
			var pair = chart.columns.filter(function (c) { return c.band && c.side === side; });
			if (pair.length < 2 || !shown[side]) return;
			canvas.fillStyle = alpha(side.toLowerCase(), 0.2);
			pair[0].y.forEach(function (low, i) {
				var left = graph.toDomXCoord(i * chart.data.step), high = pair[1].y[i];
				var right = graph.toDomXCoord((i + 1) * chart.data.step);
				if (low === null || high === null) return;
				canvas.fillRect(left, graph.toDomYCoord(high), right - left,
					Math.max(graph.toDomYCoord(low) - graph.toDomYCoord(high), 1));
			});
		});
	};
}

function timeOptions(chart) {
	var series = {}, format = FORMATS[chart.data.unit], many = chart.data.rounds.length;
	/* Where a round fills an area, so that several can be told from one. */
	var faint = Math.max(0.05, Math.min(0.6, (chart.data.thinned ? 1.6 : 4) / many));
	chart.columns.forEach(function (column, i) {
		var name = column.side.toLowerCase();
		series['' + (i + 1)] = column.median
			? { color: colour(name), strokeWidth: 2.2, strokeBorderWidth: 1,
				strokePattern: column.side === 'B' ? [7, 3] : null }
			: { color: alpha(name, column.band ? 0.4 : faint), strokeWidth: column.band ? 0.5 : 1 };
	});
	return options({
		labels: ['x'].concat(Object.keys(series)), series: series,
		visibility: chart.columns.map(isShown),
		dateWindow: wholeRange(), strokeBorderColor: colour('card'),
		drawCallback: function (graph) { label(chart, graph); },
		axes: {
			x: { ticker: numbers.timeTicks },
			y: { axisLabelFormatter: function (v) { return short(format)(v); }, axisLabelWidth: 62,
				pixelsPerLabel: 34, labelsKMG2: chart.data.unit === 'bytes' }
		},
		underlayCallback: bands(chart),
		highlightCallback: function (event, x, points, row, name) { follow(chart, row, name); },
		unhighlightCallback: function () { follow(null); },
		highlightSeriesOpts: { strokeWidth: 2.4, highlightCircleSize: 3 },
		highlightSeriesBackgroundAlpha: 1,
		zoomCallback: function () {
			if (chart.graph.isZoomed('x')) zoomAll(chart);
			else wholeTime();
		}
	});
}

function timeRows(chart) {
	var rows = [], i, data = chart.data;
	chart.columns = columns(data);
	if (!chart.labels) {
		chart.labels = document.createElement('div');
		chart.labels.className = 'spans';
		KINDS.forEach(function (kind) {
			chart.labels.classList.toggle('with-' + kind, spans.some(function (s) { return s.kind === kind; }));
		});
		chart.figure.insertBefore(chart.labels, chart.plot);
	}
	for (i = 0; i < data.n; i++)
		rows.push([(i + 0.5) * data.step].concat(chart.columns.map(function (c) {
			return c.y[i] === undefined ? null : c.y[i];
		})));
	return rows;
}

/* What all charts have at the time that one is pointed at. */
function follow(from, row, name) {
	var at = from ? (row + 0.5) * from.data.step : NaN;
	charts.forEach(function (chart) {
		var parts, near, format, i;
		if (chart.data.kind !== 'time' || !chart.graph) return;
		if (!from) {
			chart.graph.clearSelection();
			tell(chart, []);
			return;
		}
		i = Math.floor(at / chart.data.step);
		if (i < 0 || i >= chart.data.n) return;
		format = FORMATS[chart.data.unit];
		parts = [['at ' + time(at)]];
		chart.columns.forEach(function (c) {
			if (c.median && isShown(c) && c.y[i] !== null)
				parts.push([c.side + ' ' + format(c.y[i]), c.side.toLowerCase()]);
		});
		near = chart === from && name ? chart.columns[+name - 1] : null;
		if (near && near.pair && near.y[i] !== null)
			parts.push(['round ' + near.side + near.pair + ': ' + format(near.y[i])]);
		tell(chart, parts);
		if (chart !== from) chart.graph.setSelection(i);
	});
}

function zoomAll(from, range) {
	range = range || from.graph.xAxisRange();
	charts.forEach(function (chart) {
		if (chart.data.kind === 'time' && chart.graph && chart !== from)
			chart.graph.updateOptions({ dateWindow: range, valueRange: null });
	});
}

/* Of all charts over time, so that they are one above the other. */
function wholeRange() {
	return [0, charts.reduce(function (most, chart) {
		return chart.data.kind === 'time' ? Math.max(most, chart.data.n * chart.data.step) : most;
	}, 0)];
}

function wholeTime() {
	charts.forEach(function (chart) {
		if (chart.data.kind === 'time' && chart.graph)
			chart.graph.updateOptions({ dateWindow: wholeRange(), valueRange: null });
	});
}

function reset(chart) {
	if (chart.data.kind === 'time') wholeTime();
	else chart.graph.resetZoom();
}

/* Arrows move what is pointed at, + and - zoom around it. */
function onKey(chart, event) {
	var graph = chart.graph, range, width, middle, row, last;
	if (!graph || event.ctrlKey || event.altKey || event.metaKey) return;
	last = graph.numRows() - 1;
	range = graph.xAxisRange();
	row = graph.getSelection();
	switch (event.key) {
	case 'ArrowLeft': case 'ArrowRight':
		if (row < 0) row = Math.round(last / 2);
		row += (event.key === 'ArrowLeft' ? -1 : 1) * (event.shiftKey ? 1 : Math.max(1, Math.round(last / 100)));
		row = Math.max(0, Math.min(last, row));
		graph.setSelection(row);
		chart.point(row);
		break;
	case '+': case '-': case '=':
		width = (range[1] - range[0]) * (event.key === '-' ? 2 : 0.5);
		middle = row >= 0 ? graph.getValue(row, 0) : (range[0] + range[1]) / 2;
		range = [middle - width / 2, middle + width / 2];
		last = graph.xAxisExtremes();
		if (event.key === '-' && width >= last[1] - last[0]) {
			reset(chart);
		} else {
			graph.updateOptions({ dateWindow: range });
			if (chart.data.kind === 'time') zoomAll(chart, range);
		}
		break;
	case 'Home': case '0':
		reset(chart);
		break;
	case 'Escape':
		graph.clearSelection();
		tell(chart, []);
		return;
	default:
		return;
	}
	event.preventDefault();
}

/* --- percentiles */

function percentileRows(chart) {
	var at = {};
	chart.data.curves.forEach(function (curve, side) {
		curve.forEach(function (point) {
			var key = point[0].toFixed(4);
			at[key] = at[key] || [point[0], null, null];
			at[key][side + 1] = point[1];
		});
	});
	chart.rows = Object.keys(at).map(function (key) { return at[key]; })
		.sort(function (a, b) { return a[0] - b[0]; });
	return chart.rows;
}

function percentileOptions(chart) {
	var series = {};
	LETTERS.forEach(function (side) {
		series[side] = { color: colour(side.toLowerCase()), strokeWidth: 2,
			strokePattern: side === 'B' ? [7, 3] : null };
	});
	return options({
		labels: ['x', 'A', 'B'], series: series, connectSeparatedPoints: true, logscale: true,
		includeZero: false, visibility: [shown.A, shown.B],
		axes: {
			x: { ticker: numbers.percentileTicks, axisLabelWidth: 60 },
			y: { ticker: numbers.powers, axisLabelWidth: 56 }
		},
		highlightCallback: function (event, x, points, row) { chart.point(row); },
		unhighlightCallback: function () { tell(chart, []); }
	});
}

/* The last value of a side at or before a row. */
function valueAt(rows, row, column) {
	while (row >= 0 && rows[row][column] === null) row--;
	return row < 0 ? null : rows[row][column];
}

function tellPercentile(chart, row) {
	var parts = [[percentile(chart.rows[row][0])]];
	LETTERS.forEach(function (side, i) {
		var value = valueAt(chart.rows, row, i + 1);
		if (value !== null && shown[side])
			parts.push([side + ' ' + FORMATS.seconds(value), side.toLowerCase()]);
	});
	tell(chart, parts);
}

/* --- CPU against memory: a circle for A, a square for B */

function dot(isSquare) {
	return function (graph, name, canvas, x, y, paint, size) {
		canvas.beginPath();
		canvas.fillStyle = paint;
		if (isSquare) canvas.rect(x - size, y - size, 2 * size, 2 * size);
		else canvas.arc(x, y, size + 0.5, 0, 2 * Math.PI);
		canvas.globalAlpha = 0.75;
		canvas.fill();
		canvas.globalAlpha = 1;
	};
}

function scatterRows(chart) {
	chart.points = chart.data.points.slice().sort(function (a, b) { return a.x - b.x; });
	return chart.points.map(function (p) {
		return [p.x, p.side === 0 ? p.y : null, p.side === 1 ? p.y : null];
	});
}

function scatterOptions(chart) {
	var series = {};
	LETTERS.forEach(function (side) {
		series[side] = { color: colour(side.toLowerCase()), strokeWidth: 0, drawPoints: true,
			pointSize: chart.points.length > 200 ? 2 : 4, drawPointCallback: dot(side === 'B'),
			drawHighlightPointCallback: dot(side === 'B') };
	});
	return options({
		labels: ['x', 'A', 'B'], series: series, xRangePad: 14, yRangePad: 14, includeZero: false,
		highlightCircleSize: 6, visibility: [shown.A, shown.B],
		axes: {
			x: { axisLabelFormatter: short(FORMATS.seconds), pixelsPerLabel: 90 },
			y: { axisLabelFormatter: short(FORMATS.bytes), axisLabelWidth: 66, pixelsPerLabel: 34,
				labelsKMG2: true }
		},
		highlightCallback: function (event, x, near, row) { chart.point(row); },
		unhighlightCallback: function () { tell(chart, []); }
	});
}

function tellPoint(chart, row) {
	var p = chart.points[row], side = LETTERS[p.side];
	tell(chart, [['round ' + side + p.pair, side.toLowerCase()],
		[FORMATS.seconds(p.x) + ' CPU, ' + FORMATS.bytes(p.y)]]);
}

var ROWS = { time: timeRows, percentile: percentileRows, scatter: scatterRows };
var OPTIONS = { time: timeOptions, percentile: percentileOptions, scatter: scatterOptions };
var POINT = {
	time: function (chart, row) { follow(chart, row); },
	percentile: tellPercentile,
	scatter: tellPoint
};

/* --- the page */

/* Or again, in other colours or of another size: a new canvas would not come onto paper. */
function draw(chart) {
	var rows;
	if (chart.graph) {
		chart.graph.updateOptions(OPTIONS[chart.data.kind](chart));
		chart.graph.resize();
		return;
	}
	rows = ROWS[chart.data.kind](chart);
	if (rows.length) chart.graph = new Dygraph(chart.plot, rows, OPTIONS[chart.data.kind](chart));
}

function drawAll() {
	charts.forEach(draw);
}

function readCharts() {
	spans = json(document.getElementById('spans')) || [];
	all('.chart').forEach(function (figure) {
		var data = json(figure.querySelector('script[type="application/json"]'));
		var chart = { data: data, figure: figure, plot: figure.querySelector('.plot'),
			readout: figure.querySelector('.readout'), graph: null };
		if (!data) return;
		figure.classList.add('charted');
		chart.plot.setAttribute('aria-roledescription', 'chart');
		chart.point = function (row) { POINT[data.kind](chart, row); };
		chart.plot.addEventListener('keydown', function (event) { onKey(chart, event); });
		charts.push(chart);
	});
}

function showSides() {
	root.classList.toggle('without-A', !shown.A);
	root.classList.toggle('without-B', !shown.B);
	charts.forEach(function (chart) {
		if (!chart.graph) return;
		chart.graph.updateOptions({ visibility: chart.data.kind === 'time'
			? chart.columns.map(isShown) : [shown.A, shown.B] });
	});
}

function setControls() {
	var form = document.querySelector('.controls'), pairs = {}, banded = false;
	if (!form || !charts.length) return;
	form.hidden = false;
	charts.forEach(function (chart) {
		(chart.data.rounds || []).forEach(function (round) { pairs[round.pair] = true; });
		banded = banded || !!(chart.data.low && (chart.data.low[0] || chart.data.low[1]));
	});
	addOption(form.elements.pair, '', banded ? '10th to 90th percentile' : 'all');
	if (!banded) addOption(form.elements.pair, 'none', 'none');
	Object.keys(pairs).forEach(function (pair) { addOption(form.elements.pair, pair, 'pair ' + pair); });
	form.addEventListener('change', function () {
		['A', 'B', 'median'].forEach(function (name) {
			if (form.elements[name]) shown[name] = form.elements[name].checked;
		});
		shown.pair = form.elements.pair.value;
		showSides();
	});
	form.addEventListener('submit', function (event) { event.preventDefault(); });
	form.elements.reset.addEventListener('click', wholeTime);
}

function isDark() {
	return chosen ? chosen === 'dark' : dark.matches;
}

function setTheme(name) {
	root.classList.toggle('dark', name === 'dark');
	root.classList.toggle('light', name === 'light');
	document.getElementById('theme').textContent = name === 'dark' ? 'Light' : 'Dark';
}

function applyTheme() {
	setTheme(isDark() ? 'dark' : 'light');
	drawAll();
}

/* On paper all is light, and as wide as a page. */
function toPaper() {
	setTheme('light');
	charts.forEach(function (chart) {
		chart.plot.style.width = PAPER.width + 'px';
		chart.plot.style.height = PAPER.height + 'px';
	});
	drawAll();
	all('.plot canvas').forEach(toPicture);
}

function fromPaper() {
	all('.picture').forEach(function (picture) { picture.remove(); });
	all('.on-paper').forEach(function (canvas) { canvas.classList.remove('on-paper'); });
	charts.forEach(function (chart) { chart.plot.style.width = chart.plot.style.height = ''; });
	applyTheme();
}

function onResize() {
	charts.forEach(function (chart) { if (chart.graph) chart.graph.resize(); });
}

if (window.Dygraph) readCharts();
document.getElementById('theme').hidden = false;
setControls();
applyTheme();
document.getElementById('theme').addEventListener('click', function () {
	chosen = isDark() ? 'light' : 'dark';
	applyTheme();
});
dark.addEventListener('change', applyTheme);
window.addEventListener('beforeprint', toPaper);
window.addEventListener('afterprint', fromPaper);
window.addEventListener('resize', onResize);
root.dataset.drawn = Math.round(performance.now());
})();
