#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What explains a difference: pairs of programs whose difference is known, and of some that have none.
. "$(dirname "$0")/lib.sh"
need_bpf
PAIRS=6 # the fewest that have an interval at 95 %

# compare NAME PAIRS ARGUMENT...: as measure(), with two sides.
compare() {
	local name=$1 pairs=$2
	shift 2
	measure "$name" --rounds "$pairs" "$@"
}

# says NAME KIND PATTERN: an insight of that kind with that text.
says() {
	local texts
	texts=$(value ".insights[] | select(.kind == \"$2\") | .text")
	if grep -qE -- "$3" <<<"$texts"; then
		ok "$1"
	else
		fail "$1" "no $2 says '$3': $texts"
	fi
}

# silent NAME KIND PATTERN: none has it.
silent() {
	local texts
	texts=$(value ".insights[] | select(.kind == \"$2\") | .text" | grep -E -- "$3")
	equal "$1" "$texts" ''
}

# --- the same bytes, one by one and in large pieces
BYTES=$(scaled 200 100)
head -c "${BYTES}k" /dev/zero >"$WORK/bytes"
if compare dd $PAIRS --syscalls --target "dd if=$WORK/bytes of=/dev/null bs=1 status=none" \
	--vs "dd if=$WORK/bytes of=/dev/null bs=64k status=none"; then
	says dd/system-time cause "[0-9]+ % of A's extra CPU time is system time: [0-9.]+ m?s of [0-9.]+ m?s a round"
	says dd/calls cause 'goes along with more system calls: .*read \([0-9,.]+ k? ?of A against [0-9]+ of B, '
	says dd/calls-written cause 'write \([0-9,.]+ k? ?of A against [0-9]+ of B, '
	holds dd/at-most-five '[.insights[] | select(.kind == "cause")] | length <= 5'
	holds dd/signs '[.insights[] | select(.kind == "cause" and .metric == "cpu.system_seconds")][0].value < 0'
	says dd/slower-by-counting quality '^--syscalls made every call slower, by about [0-9.]+ % of A'
	silent dd/not-again next 'which calls'
	perfbpf report "$DIR"
	check dd/text 'the text has no heading of them' grep -q '^Insights: ' "$OUT"
	check dd/text-quality 'the text has no heading of them' grep -q '^Data quality' "$OUT"
	perfbpf report "$DIR" --format md
	check dd/markdown 'Markdown has no heading of them' grep -q '^## Insights: ' "$OUT"
	holds dd/score '[.comparison[] | select(.metric == "score.composite")][0] | .a_median > 0 and .exploratory'
fi

# --- many pages, and few
if compare pages $PAIRS --target "$TRUTH/pages 200" --vs "$TRUTH/pages 40000"; then
	says pages/faults cause 'goes along with more minor faults: [0-9,]+ of A against 4[0-9],[0-9]+ of B a round'
	says pages/system-time cause "of B's extra CPU time is system time"
	says pages/syscalls-next next 'system time: which calls, .*: \$ .*perfbpf run --syscalls '
fi

# --- one lock, and one for each; at the same work
CONVOY="$TRUTH/convoy 4 20 --hold 1000 --turns 60 --asleep"
if compare convoy $PAIRS --target "$CONVOY" --vs "$CONVOY --apart"; then
	says convoy/locks cause "A's extra wall time .* goes along with more waiting for locks \(all threads together\): [0-9.]+ m?s of A against"
	says convoy/place cause "A's extra wall time .* goes along with more time off the CPU in [^ ]*(want|lock)[^ ]* and what it calls"
fi

# --- the same functions, for longer
if [[ -n ${PERFBPF_TEST_EMULATED:-} ]]; then
	skip functions 'an emulated machine samples too few'
elif compare functions $PAIRS --target "$TRUTH/stack_tree 0.1" --vs "$TRUTH/stack_tree 0.5"; then
	# "shared" is called from two places, for half of the time, and "alpha_left" for 30 %.
	says functions/hottest cause "hottest differing functions, by their own CPU time and at equal work: (shared|alpha_left) \(\+[0-9.]+ ms, [0-9]+ %\), (shared|alpha_left) \("
	silent functions/not-main cause ' (main|turn) and what it calls'
	says functions/user-time cause "of B's extra CPU time is user time"
fi

# --- a program and itself
if compare same $PAIRS --target "$TRUTH/burn 1 0.1" --vs "$TRUTH/burn 1 0.1"; then
	equal same/no-cause "$(value '[.insights[] | select(.kind == "cause") | .text] | join("; ")')" ''
fi

# --- what to run next can be pasted
if compare next 2 --profile none --target "sh -c 'exit 0'" --vs true --without requests; then
	says next/few-pairs quality '^too few pairs to tell anything: 2, and an interval at 95 % needs 6'
	command=$(value '[.insights[] | select(.kind == "next" and (.text | contains(": $ ")))][0].text | split(": $ ")[1]')
	check next/without-the-folder "$command" bash -c "! grep -q -- ' -o ' <<<\"\$1\"" _ "$command"
	mkdir "$WORK/next"
	command=$(sed -E 's/--rounds [0-9]+/--rounds 3/' <<<"$command")
	(cd "$WORK/next" && PATH=$(dirname "$PERFBPF"):$PATH PERFBPF_TEST_MARK=$MARK timeout 60 bash -c "$command" >"$OUT" 2>"$ERR" 3>&-)
	equal next/exit $? 0
	equal next/rounds "$(value '.rounds | length' "$(echo "$WORK"/next/perfbpf-results/*/run.json)")" 6
fi
