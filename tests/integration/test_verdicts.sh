#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Verdicts that hold: a program against itself is never a difference, a slowdown that was planted is
# found, gates and --strict end as they should each time, and a run stops by the width of its interval.
. "$(dirname "$0")/lib.sh"
need_bpf
[[ -z ${PERFBPF_TEST_EMULATED:-} ]] || skip_all 'takes too long in an emulated machine'

TIMES=20
bare=(--quiet --profile none --without 'requests,time,io')
# 30 ms of CPU, exactly; and a tenth more.
same="$TRUTH/children 1 30"
slower="$TRUTH/children 1 33"
cpu='.comparison[] | select(.metric == "cpu.total_seconds")'

# --- a real program against itself
if command -v kubectl >/dev/null; then
	tool=kubectl
else
	tool=curl
fi

# Differences in what a gate is on, after the correction for several.
differences() {
	value '[.comparison[] | select(.exploratory | not) | select((.verdict == "B_lower" or .verdict == "B_higher")
		and .p_adjusted < 0.05) | "\(.metric) \(.ratio) (\(.ci_low)-\(.ci_high)) p \(.p_adjusted)"] | join("; ")'
}

against_itself() {
	look_for_quiet
	new_folder
	LIMIT=110 perfbpf run "${bare[@]}" -o "$DIR" --target $tool --vs $tool --scenario kubelogs/basic \
		--rounds 10 --warmup 700ms --duration 1200ms --cooldown 50ms --seed "$1"
}

if ! command -v curl >/dev/null && [[ $tool == curl ]]; then
	skip itself 'there is neither kubectl nor curl'
else
	against_itself 1
	# One run in twenty finds one by chance; not two in a row.
	if ((RC == 0)) && [[ -n $(differences) ]]; then
		printf '# %s against itself, seed 1: %s; once more\n' $tool "$(differences)" >&3
		against_itself 2
	fi
	if ((RC == 96)) && [[ $QUIET != yes ]]; then
		skip itself 'others keep this machine busy, so that the work was not done in time'
	elif equal itself/exit "$RC" 0 && ((RC == 0)); then
		equal itself/no-difference "$(differences)" ''
		holds itself/no-winner '.verdict.valid and .verdict.winner == null'
		holds itself/verdicts '[.comparison[] | select(.exploratory | not) | .verdict] |
			length > 1 and all(. == "equivalent" or . == "inconclusive")'
		holds itself/intervals "$cpu | .n == 10 and .ci_low < .ratio and .ratio < .ci_high and .mde > 0"
		perfbpf noise "$DIR"
		equal itself/noise "$RC" 0
		check itself/noise-says "$(cat "$OUT")" grep -q 'no difference was found' "$OUT"
	fi
fi

# --- a wrapper that spins: 10 % more CPU for the same work, which is one of CPU time, so that neighbours do
# not change it
look_for_quiet
new_folder
perfbpf run "${bare[@]}" -o "$DIR" --target "$TRUTH/children 1 200" --vs "$TRUTH/spin_wrapper 10 $TRUTH/children 1 200" \
	--rounds 8 --gate cpu.total_seconds --seed 3
equal spinning/exit "$RC" 98
holds spinning/winner '.verdict.winner == "A"'
holds spinning/verdict "$cpu | .verdict == \"B_higher\""
# Starting a command costs both of them the same, beside the 10 %: 1.098 to 1.100.
excused_unless_quiet holds spinning/size "$cpu | .ci_low < 1.105 and .ci_high > 1.095 and .ci_low > 1.05 and .ci_high < 1.15"

# --- gates and --strict, many times: CODES counts what they ended in
many() {
	local i
	CODES=
	look_for_quiet
	for ((i = 1; i <= TIMES; i++)); do
		new_folder
		perfbpf run "${bare[@]}" -o "$DIR" --target "$same" --seed "$i" "$@"
		CODES+="$RC "
	done
	CODES=$(tr ' ' '\n' <<<"$CODES" | sed '/^$/d' | sort | uniq -c | awk '{ printf "%s%s x %s", sep, $1, $2; sep = ", " }')
	printf '# exit codes of %s: %s\n' "$*" "$CODES" >&3
}

many --vs "$slower" --rounds 8 --gate cpu.total_seconds
excused_unless_quiet equal gate/planted "$CODES" "$TIMES x 98"
check gate/planted-said "$(error_line)" grep -q 'gate failed: cpu.total_seconds of B is worse, 1\.' "$ERR"
many --vs "$same" --rounds 8 --gate cpu.total_seconds --strict --margin 10%
check gate/itself-passes "$CODES" grep -qv 'x 9[^7]' <<<"$CODES"
excused_unless_quiet equal strict/equivalent "$CODES" "$TIMES x 0"
many --vs "$same" --rounds 3 --strict
equal strict/too-few "$CODES" "$TIMES x 97"
check strict/too-few-said "$(cat "$ERR")" grep -q '3 pairs cannot settle anything at 95 %: at least 6, e.g. --rounds 10' "$ERR"
check strict/says-which "$(cat "$ERR")" grep -q -- '--strict: .* is inconclusive' "$ERR"

# A gate on what no round tells guards nothing.
new_folder
perfbpf run "${bare[@]}" -o "$DIR" --target "$same" --vs "$same" --rounds 1 --gate latency.response.p99_seconds
equal gate/no-data "$RC" 98
check gate/no-data-said "$(cat "$ERR")" grep -q 'no pair of rounds tells latency.response.p99_seconds' "$ERR"
# Unequal work comes first, and so does a threshold.
new_folder
perfbpf run "${bare[@]}" -o "$DIR" --target true --vs false --rounds 1 --gate latency.response.p99_seconds
equal gate/invalid-first "$RC" 96
new_folder
perfbpf run "${bare[@]}" -o "$DIR" --target true --vs true --rounds 1 --gate latency.response.p99_seconds \
	--threshold 'window_seconds:value<1us'
equal gate/threshold-first "$RC" 99

# --- until the interval is narrow, or the cap comes
look_for_quiet
new_folder
perfbpf run "${bare[@]}" -o "$DIR" --target "$same" --vs "$slower" --until-width 5% --gate cpu.total_seconds
equal width/reached-exit "$RC" 98
excused_unless_quiet holds width/reached '.statistics | .stopping == "width" and .until_width == 0.05 and .width_reached'
excused_unless_quiet holds width/is-so-narrow "$cpu | (.ci_high / .ci_low | log / 2 | exp) - 1 <= 0.05"
holds width/pairs '.rounds | length >= 12 and length <= 100 and length % 2 == 0'
new_folder
perfbpf run --profile none --without requests,time,io -o "$DIR" --target "$same" --vs "$slower" --until-width 0.01% --max-rounds 7
equal width/cap-exit "$RC" 0
holds width/cap '(.statistics | .stopping == "width" and (.width_reached | not)) and (.rounds | length == 14)'
check width/cap-said "$(cat "$ERR")" grep -q 'not narrow enough after 7 pairs: ' "$ERR"
check width/on-the-way "$(cat "$ERR")" grep -q 'after 6 pairs: ±.* to reach: ±0.01 %; about 7 pairs in all' "$ERR"

# --- what a scenario says
cat >"$WORK/gated.yaml" <<-END
	driver: exec
	exec: {commands: [{name: nothing, command: ["true"]}]}
	phases: [{name: m, role: measured, duration: 300ms, executor: constant-arrival-rate, rate: 10}]
	rounds: 1
	gates: [cpu.total_seconds, latency.delivery.p99_seconds]
END
new_folder
perfbpf run "${bare[@]}" -o "$DIR" --scenario "$WORK/gated.yaml" --target 'sleep 60' --vs 'sleep 60'
equal scenario/gate-without-data "$RC" 98
