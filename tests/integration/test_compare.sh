#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `compare` and `history` on made records, as an ordinary user: no BPF.
# lane: shared
. "$(dirname "$0")/lib.sh"

# record SCENARIO STARTED CPU [FILTER]: a run.json with eight rounds of CPU seconds, give and take 2 %.
record() {
	jq -n --arg scenario "$1" --arg started "$2" --argjson cpu "$3" '{
		schema: "perfbpf.run/1", perfbpf: {version: "0.1.0", argv: ["perfbpf", "run"], seed: 1},
		host: {kernel: "6.1.0", hostname: "bench", cpus: 2, cpu_model: "Some CPU", memory_bytes: 8000000000},
		scenario: {name: $scenario, driver: "kubelogs",
			phases: [{name: "main", role: "measured", duration_seconds: 10, rate_per_second: 100}]},
		targets: [{side: "A", name: "tool", argv: ["tool"], version: "1.0"}], complete: true,
		rounds: [range(8) | {side: "A", pair: ., position: 0, started_at: $started, window_seconds: 10,
			cpu: {total_seconds: ($cpu * (1 + ((. * 5) % 8 - 3.5) / 200))},
			memory: {rss_peak_bytes: (30000000 + . * 1000)}, validity: {valid: true, reasons: []}}],
		verdict: {winner: null, text: "made", valid: true}} | '"${4:-.}"
}

# put FOLDER SCENARIO STARTED CPU [FILTER]
put() {
	mkdir -p "$WORK/$1"
	record "${@:2}" >"$WORK/$1/run.json"
}

at=2026-01-01T00:00:00.000Z
put base s $at 1
put same s $at 1.01
put slow s $at 1.3
put kernel s $at 1.3 '.host.kernel = "6.2.0"'
put invalid s $at 1 '.rounds[3].validity = {valid: false, reasons: ["lines lost\u001b[31m"]} | .verdict.valid = false'
put short s $at 1.3 '.rounds |= .[:3]'
put other s $at 1 '.targets[0].name = "tool-b" | .targets += [{side: "B", name: "tool-c", argv: []}]'
put several/s s $at 1
put several/t-u t/u $at 1
put later/s s $at 1.3
put later/t-u t/u $at 1
mkdir "$WORK/broken" && echo '{"schema": "perfbpf.run/1"' >"$WORK/broken/run.json"
# A folder of newer make.
put newer s $at 1 '.schema = "perfbpf.run/2"'
chmod -R go+rX "$WORK"

# exits CODE NAME ARGUMENT...: of `perfbpf compare`.
exits() {
	local code=$1 name=$2
	shift 2
	perfbpf compare "$@"
	equal "$name" "$RC" "$code"
}
cd "$WORK" || exit 1
exits 0 compare/same base same
exits 98 compare/slow base slow
check compare/slow-said "$(cat "$OUT")" grep -q 'CPU time of tool: 1.30 s, was 1.00 s (1.3x.*a minor regression' "$OUT"
exits 0 compare/faster slow base
exits 0 compare/threshold base slow --threshold 40%
exits 98 compare/threshold-of-one base slow --threshold 40% --threshold cpu.total_seconds=20%
exits 0 compare/threshold-of-another base slow --threshold 40% --threshold memory.rss_peak_bytes=1%
exits 98 compare/severity base slow --severity cpu.total_seconds=5%,10%,20%
check compare/severity-said "$(cat "$OUT")" grep -q 'REGRESSED, critical' "$OUT"
exits 0 compare/gate-on-another base slow --gate memory.rss_peak_bytes
check compare/no-gate-said "$(cat "$OUT")" grep -q 'CPU time.*regressed, minor (no gate)' "$OUT"
exits 0 compare/kernel base kernel
check compare/kernel-said "$(cat "$ERR")" grep -q 'NOT COMPARABLE' "$ERR"
check compare/kernel-named "$(cat "$OUT")" grep -q "kernel: '6.1.0' in the earlier run, '6.2.0' now" "$OUT"
exits 97 compare/kernel-strict base kernel --strict
exits 98 compare/kernel-accepted base kernel --accept-differences
exits 96 compare/invalid-base invalid base
check compare/invalid-said "$(cat "$ERR")" grep -q 'invalid: the run is invalid, and nothing is compared: lines lost?' "$ERR"
exits 96 compare/invalid-new base invalid
exits 0 compare/short base short
exits 97 compare/short-strict base short --strict
check compare/short-said "$(cat "$OUT")" grep -q '8 rounds in the earlier run and 3 in this one' "$OUT"
exits 2 compare/no-common-target base other
exits 2 compare/broken base broken
exits 2 compare/newer newer base
exits 2 compare/none base none
exits 2 compare/one base
exits 2 compare/gate base same --gate cpu.total_second
exits 2 compare/gate-unknown base same --gate work.lines
exits 2 compare/bad-threshold base same --threshold 10
exits 98 compare/several several later
equal compare/several-both "$(grep -c 'Against the earlier run' "$OUT")" 2
exits 98 compare/several-one several slow
exits 98 compare/several-missing base later
check compare/missing-named "$(cat "$ERR")" grep -q "'t/u' is not in base, and not compared" "$ERR"
exits 97 compare/several-missing-strict base several --strict
exits 0 compare/gone several base
check compare/gone-named "$(cat "$ERR")" grep -q 'nothing in base was compared with several/t-u' "$ERR"
put elsewhere/v v $at 1
put elsewhere/w w $at 1
exits 2 compare/no-common-scenario several elsewhere
exits 98 compare/md base slow --format md -o report.md
check compare/md-table 'no table' grep -q '^| CPU time |' report.md
exits 98 compare/json base slow --format json -o slow.json
equal compare/json-read "$(jq -r '.baseline.rows[] | select(.metric == "cpu.total_seconds") | .severity' slow.json)" minor
exits 2 compare/format base slow --format svg
exits 2 compare/format-without-it base slow --format csv
check compare/formats-with-it "$(cat "$ERR")" grep -q 'these have: text json md html junit' "$ERR"
exits 2 compare/gate-on-a-score base same --gate score.composite
# The headline is that of the comparison, and says it once.
check compare/md-headline "$(cat report.md)" grep -q '^\*\*1 of 2 gates regressed against base: CPU time of tool 1.3x, minor\*\*$' report.md
equal compare/md-once "$(grep -c 'a minor regression' report.md)" 1
# What can be read is said; what cannot, is not taken for a missing scenario.
exits 2 compare/broken-only base broken
equal compare/broken-once "$(wc -l <"$ERR")" 1

# --- junit: red where the exit code is, and nowhere else
# red CODE NAME ARGUMENT...: the exit code, and failures exactly where it is not 0
red() {
	local failures
	exits "${@:1:2}" "${@:3}" --format junit -o red.xml
	failures=$(grep -c '<failure' red.xml)
	equal "$2-red" "$((failures > 0))" "$(($1 > 0))"
	rm red.xml
}
put failed s $at 1 '.thresholds = [{side: "A", metric: "latency.response", expression: "p(99)<1ms", unit: "s",
	value: 0.002, passed: false, text: "2 ms"}] | .statistics = {strict: true, gates: ["cpu.total_seconds"]}'
red 0 junit/own-threshold base failed
red 98 junit/regressed base slow
red 0 junit/short base short
red 97 junit/short-strict base short --strict
red 97 junit/kernel-strict base kernel --strict
red 96 junit/invalid base invalid
red 97 junit/gone-strict several base --strict
exits 2 junit/one-a-file several later --format junit
exits 98 junit/folder several later --format junit -o junit/
check junit/files "$(find junit)" test -s junit/s/junit.xml -a -s junit/t-u/junit.xml

# --- what else is not the same
put cut s $at 1 '.complete = false'
put counted s $at 1 '.rounds[].syscalls = [{name: "read", calls: 1, errors: 0, seconds: 0.1}]'
exits 0 compare/cut cut slow
check compare/cut-named "$(cat "$OUT")" grep -q 'the earlier run did not come to its end' "$OUT"
exits 0 compare/syscalls counted slow
check compare/syscalls-named "$(cat "$OUT")" grep -q 'system calls (--syscalls): measured in the earlier run' "$OUT"

# --- noise of several scenarios
pairs='.targets += [.targets[0] | .side = "B"] | .rounds += [.rounds[] | .side = "B" | .position = 1]'
put pairs/s s $at 1 "$pairs"
put pairs/t t $at 1 "$pairs"
perfbpf noise pairs
equal noise/several "$RC" 0
equal noise/each "$(grep -c '^Noise of tool' "$OUT")" 2
perfbpf noise several
equal noise/one-sided "$RC" 2
check noise/one-sided-named "$(cat "$ERR")" grep -q 'several/t-u: one side alone has no pairs' "$ERR"
if nobody_can_reach "$PERFBPF" && nobody_can_reach "$WORK/base/run.json"; then
	as_nobody "$PERFBPF" compare base slow >"$OUT" 2>"$ERR"
	equal compare/ordinary-user $? 98
else
	skip compare/ordinary-user "user nobody cannot read $PERFBPF"
fi

# --- history: 10 % more from the 21st of 30 runs on
for i in {1..30}; do
	put "runs/r$i" s "$(printf '2026-03-%02dT00:00:00.000Z' "$i")" \
		"$(awk -v i="$i" 'BEGIN { print (1 + (i * 37 % 11 - 5) / 250) * (i > 20 ? 1.1 : 1) }')" \
		'.targets[0].version = "'"$((i > 20))"'.0"'
done
put runs/several/s s 2026-03-31T00:00:00.000Z 1.1
put runs/several/t-u t/u 2026-03-31T00:00:00.000Z 1
put runs/wrong s 2026-03-15T12:00:00.000Z 50 '.rounds[0].validity = {valid: false, reasons: ["no"]}'
mkdir runs/broken runs/nothing
echo '{' >runs/broken/run.json
perfbpf history runs --metric cpu.total_seconds --format json
equal history/exit "$RC" 0
check history/broken-named "$(cat "$ERR")" grep -q 'skipped: runs/broken/run.json' "$ERR"
equal history/series "$(jq -c '[.series[] | [.scenario, .target, (.points | length)]]' "$OUT")" '[["s","tool",32],["t/u","tool",1]]'
equal history/order "$(jq '[.series[0].points[].started_at] | . == sort' "$OUT")" true
equal history/change "$(jq -c '[.series[0].points[] | select(.change_p) | [.started_at[:10], .version]]' "$OUT")" '[["2026-03-21","1.0"]]'
within history/by-how-much "$(jq '[.series[0].points[].change | values][0]' "$OUT")" 0.1 0 0.02
equal history/invalid "$(jq -c '[.series[0].points[] | select(.valid | not) | .run]' "$OUT")" '["runs/wrong"]'
LC_ALL=C perfbpf history runs --target tool
equal history/text "$RC" 0
check history/changed "$(cat "$OUT")" grep -q '2026-03-21.*CHANGED from here on: +.* %' "$OUT"
check history/ascii "$(cat "$OUT")" grep -qE '^  [_.:=+*#-]{31}$' "$OUT"
check history/few 'all are shown' grep -q 'earlier runs (--all)' "$OUT"
LC_ALL=C.UTF-8 perfbpf history runs --all
check history/blocks "$(cat "$OUT")" grep -q '▁.*█' "$OUT"
check history/all-with-invalid "$(cat "$OUT")" grep -q 'INVALID, not judged' "$OUT"
perfbpf history runs --format csv -o trends.csv
equal history/csv "$(awk -F, '$3 == "cpu.total_seconds"' trends.csv | wc -l)" 33
perfbpf history runs --target nobody
equal history/no-such-target "$RC" 2
perfbpf history runs --target toll
check history/meant "$(cat "$ERR")" grep -q "has the target 'toll'; did you mean 'tool'?" "$ERR"
perfbpf history runs --metric latency.response
check history/meant-metric "$(cat "$ERR")" grep -q "did you mean 'latency.response.p99_seconds'?" "$ERR"
perfbpf history base
equal history/no-runs "$RC" 2
perfbpf history runs --metric cpu
equal history/no-such-metric "$RC" 2
cd "$ROOT" || exit 1
