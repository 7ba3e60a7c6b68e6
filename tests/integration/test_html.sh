#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# report.html as a browser shows it: charts, toggles, zoom, keys, flame graphs, light and dark, narrow, printed;
# no request, no complaint, and open within a second for an hour of 100 ms ticks times 20 pairs.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_command python3

# The results are made by a unit test's generator: stacks, but series of three ticks; so others are put in.
GENERATOR=$ROOT/build/unit/test_flame
[[ -x $GENERATOR ]] || make -s "build/unit/test_flame" >&2 ||
	skip_all 'build/unit/test_flame, which makes the stacks, is not built'
DIR=$WORK/results
"$GENERATOR" results "$DIR" || skip_all 'no stacks were made'
# longer ROUNDS TICKS NAME: the same with so many rounds and ticks.
longer() {
	mkdir -p "$WORK/$3"
	python3 -B tests/integration/big_record.py "$DIR/run.json" "$1" "$2" >"$WORK/$3/run.json"
}
longer "$(value '.rounds | length')" 100 report
cp "$DIR/stacks.json.gz" "$WORK/report"
longer 40 36000 big
longer 60 3600 band
python3 -B tests/integration/exports.py plant "$DIR" "$WORK/planted" everything
for name in report big band planted; do
	perfbpf report "$WORK/$name" --format html -o "$WORK/$name.html"
	equal "made/$name" "$RC" 0
done
perfbpf report "$WORK/report" --format html
check made/is-the-same 'another text than before' cmp "$OUT" "$WORK/report.html"
size=$(stat -c %s "$WORK/big.html")
check made/big-is-thinned "$size bytes" test "$size" -lt 4000000
if command -v xmllint >/dev/null; then
	# It knows HTML of 1999: what newer elements are called, and where scripts end, it does not.
	sed '/<script/,/<\/script>/d' "$WORK/report.html" >"$WORK/markup.html"
	wrong=$(xmllint --html --noout --nonet "$WORK/markup.html" 2>&1 >/dev/null | grep ' error ' |
		grep -vE 'Tag (nav|main|header|footer|section|figure|figcaption|details|summary|svg|path|rect|circle|text|title|g) invalid')
	check made/xmllint "${wrong:0:300}" test -z "$wrong"
else
	skip made/xmllint 'there is no xmllint (libxml2-utils)'
fi
grep -q 'Interactive charts were left out' "$WORK/report.html" &&
	skip_all 'this perfbpf was built without libjs-dygraphs'

# Debian's own has the modules of Debian's packages.
if ! command -v chromedriver >/dev/null || ! command -v chromium >/dev/null; then
	skip browser 'there is no chromium with its chromedriver'
	exit
fi
shots=${PERFBPF_TEST_SHOTS:-$WORK/shots}
mkdir -p "$shots"
look_for_quiet
PERFBPF_TEST_MARK=$MARK HOME=$WORK timeout -k 10 200 python3 -B tests/integration/html_browser.py \
	"$(free_port)" "$WORK"/{report,big,band,planted}.html "$shots" >"$OUT"
status=$?
while read -r what rest; do
	case $what in
	ok) ok "browser/$rest" ;;
	FAIL) fail "browser/${rest%%: *}" "${rest#*: }" ;;
	time)
		echo "# ${rest% *}: open in ${rest#* } ms" >&3
		excused_unless_quiet check "browser/opens/${rest% *}" "${rest#* } ms" test "${rest#* }" -lt 1000
		;;
	esac
done <"$OUT"
((status <= 1)) || fail browser "ended with status $status"
if command -v pdftotext >/dev/null; then
	pdftotext "$shots/print.pdf" "$WORK/print.txt"
	check browser/print 'the verdict is not on paper' grep -q 'What it cost' "$WORK/print.txt"
else
	check browser/print 'no PDF' test "$(head -c 5 "$shots/print.pdf")" = '%PDF-'
fi
