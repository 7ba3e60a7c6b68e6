#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Each gate twenty times: what is planted is found, and a program against itself passes. Programs that
# burn a known CPU time; no case looks at how long something took.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf

TIMES=$(scaled 20 3)
RUNS=$(scaled 5 3)
# shellcheck disable=SC2054
short=(--quiet --profile none --without requests,time,io)
gates=(--gate cpu.total_seconds --gate memory.rss_peak_bytes)
# A third more CPU time.
normal="$TRUTH/stack_depth 1 0.03"
slow="$TRUTH/stack_depth 1 0.04"

# run_into NAME COMMAND ARGUMENT...: a run into $WORK/NAME.
run_into() {
	local name=$1 command=$2
	shift 2
	perfbpf run "${short[@]}" --target "$command" -o "$WORK/$name" "$@"
}

# tally CODE: counts whether the last run ended with it.
tally() {
	((RC == $1)) && right=$((right + 1))
	wrong_code=$RC
	((RC == $1)) || printf 'exit %s instead of %s: %s\n' "$RC" "$1" "$(error_line)"
}

# all_right NAME TIMES
all_right() {
	check "$1" "$right of $2 were right; the last code was $wrong_code" test "$right" = "$2"
}

# --- compare: 98
for ((i = 1; i <= RUNS; i++)); do
	run_into "normal-$i" "$normal" --rounds 5
	equal "made/normal-$i" "$RC" 0
	run_into "slow-$i" "$slow" --rounds 5
	equal "made/slow-$i" "$RC" 0
done
right=0 n=0
for ((i = 1; i <= RUNS; i++)); do
	for ((j = 1; j <= RUNS && n < TIMES; j++)); do
		n=$((n + 1))
		perfbpf compare "$WORK/normal-$i" "$WORK/slow-$j" "${gates[@]}" --threshold 10%
		tally 98
	done
done
all_right compare/planted "$TIMES"
check compare/says-severity "$(tail -n 20 "$OUT")" grep -q 'CPU time.*REGRESSED, minor' "$OUT"
right=0 n=0
for ((i = 1; i <= RUNS; i++)); do
	for ((j = 1; j <= RUNS; j++)); do
		((i != j && n < TIMES)) || continue
		n=$((n + 1))
		perfbpf compare "$WORK/normal-$i" "$WORK/normal-$j" "${gates[@]}" --threshold 10% --strict
		tally 0
	done
done
all_right compare/same "$n"
perfbpf compare "$WORK/slow-1" "$WORK/normal-1" "${gates[@]}"
equal compare/better "$RC" 0
check compare/better-said "$(tail -n 20 "$OUT")" grep -q 'CPU time.*improved' "$OUT"

# --- run --baseline: 98
right=0
for ((i = 1; i <= TIMES; i++)); do
	run_into "baseline-slow-$i" "$slow" --rounds 5 --baseline "$WORK/normal-$((i % RUNS + 1))" "${gates[@]}"
	tally 98
done
all_right baseline/planted "$TIMES"
DIR=$WORK/baseline-slow-1
holds baseline/in-record '.baseline | .comparable and (.path | endswith("/normal-2")) and
	any(.rows[]; .metric == "cpu.total_seconds" and .verdict == "regressed" and .severity == "minor" and .gate)'
check baseline/in-report 'report.txt does not say it' grep -q 'a minor regression' "$DIR/report.txt"
check baseline/in-markdown 'report.md does not say it' grep -q 'a minor regression' "$DIR/report.md"
right=0
for ((i = 1; i <= TIMES; i++)); do
	run_into "baseline-same-$i" "$normal" --rounds 5 --baseline "$WORK/normal-$((i % RUNS + 1))" "${gates[@]}"
	tally 0
done
all_right baseline/same "$TIMES"

# What the threshold lets pass, passes.
run_into baseline-bound "$slow" --rounds 5 --baseline "$WORK/normal-1" "${gates[@]}" --baseline-threshold 50%
equal baseline/threshold "$RC" 0
run_into baseline-severity "$slow" --rounds 5 --baseline "$WORK/normal-1" "${gates[@]}" \
	--baseline-severity cpu.total_seconds=5%,10%,20%
DIR=$WORK/baseline-severity
holds baseline/severity 'any(.baseline.rows[]; .metric == "cpu.total_seconds" and .severity == "critical")'

# --- --threshold: 99
right=0
for ((i = 1; i <= TIMES; i++)); do
	run_into "threshold-slow-$i" "$slow" --rounds 1 --threshold 'cpu.total_seconds:value<35ms'
	tally 99
done
all_right threshold/planted "$TIMES"
right=0
for ((i = 1; i <= TIMES; i++)); do
	run_into "threshold-same-$i" "$normal" --rounds 1 --threshold 'cpu.total_seconds:value<35ms'
	tally 0
done
all_right threshold/same "$TIMES"

# --- unequal work: 96, of two sides and of two runs
right=0
for ((i = 1; i <= TIMES; i++)); do
	run_into "unequal-$i" true --vs false --rounds 1
	tally 96
done
all_right invalid/planted "$TIMES"
right=0
for ((i = 1; i <= TIMES; i++)); do
	run_into "equal-$i" true --vs true --rounds 1
	tally 0
done
all_right invalid/same "$TIMES"
perfbpf compare "$WORK/unequal-1" "$WORK/normal-1"
equal invalid/base "$RC" 96
check invalid/base-said "$(error_line)" grep -q 'unequal-1: the run is invalid.*unequal work' "$ERR"
perfbpf compare "$WORK/equal-1" "$WORK/unequal-1"
equal invalid/new "$RC" 96
run_into fails false --rounds 1
run_into fails-later false --rounds 5 --baseline "$WORK/normal-1"
equal invalid/fails-early "$RC" 96
perfbpf compare "$WORK/normal-1" "$WORK/fails"
equal invalid/fails-early-compare "$RC" 96
check invalid/fails-early-said "$(error_line)" grep -q 'exit code 1, in the earlier run with exit code 0' "$ERR"

# The worst comes first: invalid, then a threshold, then a regression.
run_into worst-99 "$slow" --rounds 5 --baseline "$WORK/normal-1" "${gates[@]}" --threshold 'cpu.total_seconds:value<35ms'
equal worst/threshold-before-regression "$RC" 99
run_into worst-96 false --rounds 5 --baseline "$WORK/normal-1" --threshold 'window_seconds:value<1us'
equal worst/invalid-before-threshold "$RC" 96

# --- what is wrong with a baseline is said before anything is measured
for wrong in "$WORK/none" "$WORK/unequal-1"; do
	run_into never "$normal" --rounds 5 --baseline "$wrong"
	check "early/exit ${wrong##*/}" "exit $RC" test "$RC" = 2 -o "$RC" = 96
	check "early/nothing-made ${wrong##*/}" 'a folder was made' test ! -e "$WORK/never"
done
mkdir "$WORK/broken" && echo '{' >"$WORK/broken/run.json"
run_into never "$normal" --rounds 5 --baseline "$WORK/broken"
equal early/broken "$RC" 2
run_into never "$normal" --rounds 5 --baseline "$WORK/normal-1" --gate work.operations_per_second
equal early/gate "$RC" 2
check early/gate-nothing-made 'a folder was made' test ! -e "$WORK/never"
