#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The demonstration, as `make demo` runs it after the build: two minutes at most.
. "$(dirname "$0")/lib.sh"
need_bpf
need_command curl kubectl

cd "$WORK" || exit 1
begin=$SECONDS
PERFBPF_TEST_MARK=$MARK timeout -k 10 150 "$ROOT/tools/demo.sh" >"$OUT" 2>"$ERR" </dev/null 3>&-
status=$?
check exit "exit code $status; $(grep -A 3 'not valid' "$OUT" | tr '\n' ' ')" test "$status" = 0
check under-two-minutes "$((SECONDS - begin)) s" test $((SECONDS - begin)) -le 120
check table 'no table' grep -qi cpu "$OUT"
check names-both "$(head -n 5 "$OUT")" grep -q 'kubectl.*curl' "$OUT"
folder=$(grep -ohE '[^ ]*perfbpf-results/[^ ]*' "$OUT" "$ERR" | head -n 1)
check results-folder "'$folder' has no run.json" test -s "${folder%/}/run.json"
check nothing-left "$(marked_pids | xargs -r ps -o args= -p)" none_marked
