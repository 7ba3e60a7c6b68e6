#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The demonstration, as `make demo` runs it after the build, but one pair of its eight: these are to
# take about two minutes.
# lane: single
. "$(dirname "$0")/lib.sh"
need_bpf
need_command curl kubectl

cd "$WORK" || exit 1
begin=$EPOCHREALTIME
PERFBPF_TEST_MARK=$MARK timeout -k 10 150 "$ROOT/tools/demo.sh" --rounds 1 >"$OUT" 2>"$ERR" </dev/null 3>&-
status=$?
check exit "exit code $status; $(grep -A 3 'not valid' "$OUT" | tr '\n' ' ')" test "$status" = 0
between about-two-minutes "$(awk -v b="$begin" -v e="$EPOCHREALTIME" 'BEGIN { print 8 * (e - b) }')" 60 140 0
check table 'no table' grep -qi cpu "$OUT"
check names-both "$(head -n 5 "$OUT")" grep -q 'kubectl.*curl' "$OUT"
folder=$(grep -ohE '[^ ]*perfbpf-results/[^ ]*' "$OUT" "$ERR" | head -n 1)
check results-folder "'$folder' has no run.json" test -s "${folder%/}/run.json"
check nothing-left "$(marked_pids | xargs -r ps -o args= -p)" none_marked
