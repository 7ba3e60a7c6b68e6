#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Charts and the series of a real run, as other programs take them: an XML reader, a browser, Python's csv.
# shellcheck disable=SC2016
# lane: shared
. "$(dirname "$0")/lib.sh"

CHARTS='cpu_comparison memory_comparison performance_summary throughput_comparison latency_distribution'

well_formed() {
	if command -v xmllint >/dev/null; then
		xmllint --noout --nonet "$1"
	else
		python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$1"
	fi
}

# drawn NAME SVG: an XML reader takes it; it asks for nothing else, and says what it is of in words.
drawn() {
	local name=$1 svg=$2
	if command -v xmllint >/dev/null || command -v python3 >/dev/null; then
		check "$name/well-formed" "$(well_formed "$svg" 2>&1 | head -n 3)" well_formed "$svg"
	else
		skip "$name/well-formed" 'there is neither xmllint (libxml2-utils) nor python3'
	fi
	check "$name/asks-for-nothing" 'it names an address, or has a script' \
		bash -c '! grep -v www.w3.org/2000/svg "$1" | grep -qE "href|<script|https?:|url\("' - "$svg"
	check "$name/in-words" 'no title and no description' \
		grep -qE '<desc id="desc">A is .*[0-9]' "$svg"
}

# --- a record of which all can be drawn; made by a unit test's generator
GENERATOR=$ROOT/build/unit/test_charts
[[ -x $GENERATOR ]] || make -s build/unit/test_charts >&2
if [[ -x $GENERATOR ]] && "$GENERATOR" "$WORK/made" 6 2 300; then
	perfbpf report "$WORK/made" --format charts -o "$WORK/charts"
	equal made/exit "$RC" 0
	for chart in $CHARTS; do
		drawn "made/$chart" "$WORK/charts/$chart.svg"
	done
	equal made/nothing-else "$(find "$WORK/charts" -type f | wc -l)" 5
	perfbpf report "$WORK/made" --format charts
	equal made/several-into-a-stream "$RC" 2
	perfbpf report "$WORK/made" --format md --format charts -o "$WORK/page/"
	equal made/markdown-shows-them "$(grep -cE '^!\[.*[0-9].*\]\([a-z_]+\.svg\)$' "$WORK/page/report.md")" 5
	perfbpf report "$WORK/made" --format md
	equal made/markdown-alone-has-no-links "$(grep -c 'svg)' "$OUT")" 0
	if ((EUID == 0)) && nobody_can_reach "$PERFBPF"; then
		check made/as-an-ordinary-user 'it needs rights' bash -c \
			'setpriv --reuid="$1" --regid="$1" --clear-groups "$2" report "$3" --format charts -o "$4"' \
			- "$NOBODY" "$PERFBPF" "$WORK/made" "$(mktemp -d -p "$WORK" && chmod 777 "$WORK"/tmp.*)"
	fi
else
	skip made 'build/unit/test_charts, which makes the record, is not built'
fi

# --- in a browser: what is drawn is no error page, in light and in dark
if ! command -v chromium >/dev/null; then
	skip browser 'there is no chromium'
elif ! command -v python3 >/dev/null; then
	skip browser 'there is no python3 to look at the picture'
elif [[ -e $WORK/charts/latency_distribution.svg ]]; then
	for scheme in light dark; do
		set -- --window-size=860,330 --hide-scrollbars
		[[ $scheme == dark ]] && set -- "$@" --blink-settings=preferredColorScheme=0
		timeout 40 chromium --headless --no-sandbox --disable-gpu "--user-data-dir=$WORK/browser-$scheme" \
			"$@" "--screenshot=$WORK/$scheme.png" "file://$WORK/charts/latency_distribution.svg" \
			>"$OUT" 2>"$ERR"
		# The colour at the corner, and lines of both sides: as inflated PNG rows hold them.
		equal "browser/$scheme" "$(python3 - "$WORK/$scheme.png" <<-'PYTHON'
			import struct, sys, zlib

			data = open(sys.argv[1], 'rb').read()
			width, height, depth, kind = struct.unpack('>IIBB', data[16:26])
			size = {2: 3, 6: 4}[kind]
			at, packed = 8, b''
			while at < len(data):
			    length, name = struct.unpack('>I4s', data[at:at + 8])
			    packed += data[at + 8:at + 8 + length] if name == b'IDAT' else b''
			    at += length + 12
			raw, rows, before = zlib.decompress(packed), [], bytearray(width * size)
			for y in range(height):
			    start = y * (width * size + 1)
			    how, row = raw[start], bytearray(raw[start + 1:start + 1 + width * size])
			    for i in range(len(row)):
			        a = row[i - size] if i >= size else 0
			        b = before[i]
			        c = before[i - size] if i >= size else 0
			        p = a + b - c
			        near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
			        row[i] = (row[i] + (0, a, b, (a + b) // 2, near)[how]) & 255
			    rows.append(row)
			    before = row
			colours = {bytes(row[i:i + 3]) for row in rows for i in range(0, len(row), size)}
			light = rows[2][0] > 128
			sides = ((0x00, 0x72, 0xb2), (0xd5, 0x5e, 0x00)) if light else ((0x56, 0xb4, 0xe9), (0xf5, 0xa1, 0x42))
			near = [any(max(abs(x - y) for x, y in zip(c, s)) < 12 for c in colours) for s in sides]
			print('light' if light else 'dark', *near)
		PYTHON
		)" "$scheme True True"
	done
fi

# --- a real run
need_bpf
new_folder
perfbpf run --quiet --rounds 2 --profile none --tick 50ms -o "$DIR" \
	--target 'sh -c "i=0; while [ \$i -lt 60000 ]; do i=\$((i+1)); done; sleep 0.2"' \
	--vs 'sh -c "i=0; while [ \$i -lt 20000 ]; do i=\$((i+1)); done; sleep 0.2; : =x,\"q\""'
equal run/exit "$RC" 0
for chart in cpu_comparison memory_comparison performance_summary; do
	drawn "run/$chart" "$DIR/$chart.svg"
	check "run/$chart/in-markdown" 'report.md does not show it' grep -q "]($chart.svg)" "$DIR/report.md"
done
check run/without-data 'there is a chart of what was not measured' test ! -e "$DIR/latency_distribution.svg"
check run/without-data-is-said 'report.md does not say it' \
	grep -q '^Not drawn.*latency_distribution' "$DIR/report.md"
perfbpf report "$DIR" --format charts --format md --format csv-series -o "$WORK/again"
for chart in cpu_comparison memory_comparison performance_summary; do
	check "again/$chart" 'not what run wrote' cmp "$DIR/$chart.svg" "$WORK/again/$chart.svg"
done
check again/series 'not what run wrote' cmp "$DIR/series.csv" "$WORK/again/series.csv"

# --- series.csv, read by Python's csv as a script of the seeds does
if command -v python3 >/dev/null; then
	equal series/python "$(python3 - "$DIR/series.csv" "$DIR/run.json" 2>&1 <<-'PYTHON'
		import csv, datetime, json, sys

		rows = list(csv.DictReader(open(sys.argv[1], newline='')))
		record = json.load(open(sys.argv[2]))
		assert list(rows[0])[:9] == ['timestamp', 'tool', 'scenario', 'cpu_percent', 'memory_mb', 'rss_mb',
		                             'vms_mb', 'logs_processed', 'duration_seconds'], list(rows[0])
		assert all(None not in row and None not in row.values() for row in rows)
		assert len(rows) == sum(len(r['series']['cpu_utilization']) for r in record['rounds'])
		names = {t['side']: t['name'] for t in record['targets']}
		at = iter(rows)
		for r in record['rounds']:
		    start = datetime.datetime.strptime(r['started_at'], '%Y-%m-%dT%H:%M:%S.%fZ')
		    series = r['series']
		    for i, cpu in enumerate(series['cpu_utilization']):
		        row = next(at)
		        seconds = (i + 1) * series['interval_seconds']
		        when = datetime.datetime.strptime(row['timestamp'], '%Y-%m-%d %H:%M:%S.%f')
		        assert abs((when - start).total_seconds() - seconds) < 0.002, row
		        assert abs(float(row['duration_seconds']) - seconds) < 1e-6, row
		        assert abs(float(row['cpu_percent']) - 100 * cpu) < 1e-3, row
		        assert abs(float(row['memory_mb']) * 2**20 - series['rss_bytes'][i]) < 1, row
		        assert row['tool'] == names[row['side']] and row['side'] == r['side'], row
	PYTHON
	)" ''
else
	skip series/python 'there is no python3'
fi
