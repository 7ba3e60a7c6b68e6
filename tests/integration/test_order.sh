#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Commands to completion: pairs in random order that the printed seed gives again.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf

order() { value '[.rounds[] | (.side | tostring) + (.position | tostring)] | join(" ")'; }

ordered() {
	new_folder
	perfbpf run --quiet -o "$DIR" --target true --vs 'sh -c :' --rounds 8 "$@"
	((RC == 0)) || fail "ordered $*" "exit $RC: $(error_line)"
}

ordered --seed 7
first=$(order)
holds rounds '.rounds | length == 16'
holds pairs '[.rounds[] | .pair] | group_by(.) | map(length) | unique == [2]'
holds each-pair-has-both-sides '[.rounds | group_by(.pair)[] | map(.side) | sort] | unique == [["A", "B"]]'
holds positions '[.rounds | group_by(.pair)[] | sort_by(.started_at) | map(.position)] | unique == [[0, 1]]'
holds seed-is-recorded '.perfbpf.seed == 7'
holds complete '.complete == true'
ordered --seed 7
equal same-seed-same-order "$(order)" "$first"
different=0
for seed in 8 9 10 11; do
	ordered --seed "$seed"
	[[ $(order) == "$first" ]] || different=$((different + 1))
done
check other-seeds-other-orders 'five seeds gave the same order' test "$different" -ge 1
holds both-orders-occur '[.rounds[] | select(.position == 0) | .side] | unique == ["A", "B"]'

# Without --seed one is drawn, printed and recorded, and gives the order again.
new_folder
perfbpf run -o "$DIR" --target true --vs 'sh -c :' --rounds 8
first=$(order)
seed=$(value .perfbpf.seed)
check drawn-seed-is-printed "no $seed in the output" grep -qF -- "$seed" "$OUT" "$ERR"
ordered --seed "$seed"
equal drawn-seed-gives-the-order "$(order)" "$first"

# The exit code of a command is recorded, and does not fail the run; sides that end
# differently did not do the same work.
new_folder
perfbpf run --quiet -o "$DIR" --target "sh -c 'exit 7'" --vs "sh -c 'exit 7; true'" --rounds 2
equal exit-code/exit "$RC" 0
equal exit-code/code "$(value '[.rounds[].exit_code] | unique | tostring')" '[7]'
new_folder
perfbpf run --quiet -o "$DIR" --target "sh -c 'kill -9 \$\$'" --rounds 2
equal exit-signal/exit "$RC" 0
equal exit-signal/signal "$(value '[.rounds[] | .signal] | unique | tostring')" '[9]'
new_folder
perfbpf run --quiet -o "$DIR" --target "sh -c 'exit 7'" --vs true --rounds 2
equal ends-differ/exit "$RC" 96
holds ends-differ/no-winner '.verdict.winner == null and .verdict.valid == false'

# Standard input is empty, and output of any size has somewhere to go.
LIMIT=15 measure reads-stdin --target cat && ok reads-stdin
LIMIT=20 measure much-output --target "sh -c 'head -c 30000000 /dev/zero; head -c 30000000 /dev/zero >&2'" &&
	holds much-output '.rounds[0].exit_code == 0'
measure wall-time --target 'sleep 0.5' && between wall-time "$(value '.rounds[0].window_seconds')" 0.5 0.6 0

# A costs a third of B, and the sides are not mixed up.
new_folder
perfbpf run --quiet -o "$DIR" --target "$TRUTH/children 10 20" --vs "$TRUTH/children 10 60" --rounds 3
within sides/ratio "$(value '.comparison[] | select(.metric == "cpu.total_seconds") | .ratio')" 3 10
holds sides/medians '.comparison[] | select(.metric == "cpu.total_seconds") | .a_median < 0.35 and .b_median > 0.55'
# Three pairs have no interval at 95 %.
holds sides/no-interval '[.comparison[] | .ci_low, .ci_high] | all(. == null)'
holds sides/inconclusive '[.comparison[].verdict] | all(. == "inconclusive")'
holds sides/no-winner '.verdict.winner == null and .verdict.valid'
