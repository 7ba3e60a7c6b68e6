#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# perfbpf doctor --verifier: how much of each program the kernel's verifier looks at. The name of a
# case tells the largest, so that the log of `make check` does.
# shellcheck disable=SC2016
# lane: shared
. "$(dirname "$0")/lib.sh"

LIMIT=30 perfbpf doctor --verifir
equal misspelt/exit "$RC" 2
check misspelt/suggestion "$(error_line)" grep -q -- '--verifier' "$ERR"
need_bpf

# (An emulated machine, which takes long for it, does it once: those lines are there with the table too.)
LIMIT=60 perfbpf doctor ${PERFBPF_TEST_EMULATED:+--verifier}
equal plain/exit "$RC" 0
for name in 'iterator task' 'iterator task_file' 'iterator bpf_sk_storage_map' 'run-queue clock' \
	'tracepoint sched_wakeup_new' 'tracepoint block_io_start' 'tracepoint block_rq_insert' \
	'function entry, if needed' 'task I/O accounting' 'resident set in parts of each CPU'; do
	check "plain/tells-of-${name// /-}" 'there is no such line' grep -qE "^  (ok|absent) +$name  " "$OUT"
done
[[ -n ${PERFBPF_TEST_EMULATED:-} ]] ||
	check plain/no-table 'the table is there without --verifier' sh -c '! grep -q "^Instructions verified" "$0"' "$OUT"

if [[ -n ${PERFBPF_TEST_EMULATED:-} ]]; then
	sed 's/^/# /' "$OUT" >&3
else
	LIMIT=60 perfbpf doctor --verifier
	cat "$OUT"
fi
equal verifier/exit "$RC" 0
check verifier/nothing-on-stderr "$(cat "$ERR")" test ! -s "$ERR"
budget=$(sed -n 's/^Instructions verified, of \([0-9]*\) that .*/\1/p' "$OUT")
check verifier/budget-is-told "$(tail -n 5 "$OUT")" test "${budget:-0}" -gt 0 || exit 1
# A line a program below that: its name and a number.
sed -n '/^Instructions verified/,$p' "$OUT" | sed -nE 's/^  ([a-z0-9_]+) +([0-9]+)$/\1 \2/p' >"$WORK/table"
equal verifier/only-programs "$(sed -n '/^Instructions verified/,$p' "$OUT" | tail -n +2 |
	grep -vE '^  [a-z0-9_]+ +[0-9]+$|^This kernel does not tell')" ''
equal verifier/none-twice "$(cut -d' ' -f1 "$WORK/table" | sort | uniq -d)" ''
check verifier/many-programs "$(cat "$WORK/table")" test "$(wc -l <"$WORK/table")" -gt 10

if grep -q '^This kernel does not tell' "$OUT"; then
	skip verifier/largest 'this kernel does not tell how much it verified (Linux 5.16 does)'
	exit
fi
equal verifier/each-has-some "$(awk '$2 == 0 { print $1 }' "$WORK/table")" ''
# What a run loads with everything on is what doctor looked at.
# shellcheck disable=SC2034
LEFT_OUT=()
measure everything --syscalls --protocols http --target true &&
	equal verifier/all-of-a-run "$(value '.rounds[0].observer.programs[].name' | sort)" \
		"$(cut -d' ' -f1 "$WORK/table" | sort)"
read -r name largest < <(sort -k 2,2nr "$WORK/table")
check "verifier/largest-is-$name-with-$largest-of-$budget" "$name needs $largest instructions" \
	test "$largest" -le "$budget"
check "verifier/all-together-$(awk '{ n += $2 } END { print n }' "$WORK/table")-in-$(wc -l <"$WORK/table")-programs" \
	"$(awk -v b="$budget" '$2 > b' "$WORK/table")" awk -v b="$budget" '$2 > b { exit 1 }' "$WORK/table"
