#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Sides that did not do the same work: invalid, why is named, no winner, 96.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"
need_bpf
need_command curl

short=(--scenario kubelogs/basic --rounds 1 --warmup 1s --duration 2s --cooldown 200ms)

# unequal NAME COUNT: the side A of $WORK/NAME.yaml makes .work.COUNT grow.
unequal() {
	local name=$1 count=$2
	new_folder
	perfbpf run -o "$DIR" --target "$WORK/$name.yaml" --vs curl "${short[@]}"
	equal "$name/exit" "$RC" 96
	holds "$name/counted" ".rounds[] | select(.side == \"A\") | .work | .$count / .expected_lines > 0.003 and
		.$count / .expected_lines < 0.008"
	holds "$name/round-is-invalid" '.rounds[] | select(.side == "A") | .validity |
		(.valid | not) and (.reasons | length > 0)'
	holds "$name/no-winner" '.verdict.winner == null and .verdict.valid == false'
	check "$name/said" "$(head -n 5 "$OUT")" grep -qi invalid "$OUT"
	holds "$name/other-side-is-right" '.rounds[] | select(.side == "B") | .work |
		.lost + .duplicated + .malformed == 0'
	check "$name/report" 'the report does not say it' sh -c '"$0" report "$1" | grep -qi invalid' "$PERFBPF" "$DIR"
}

# Every 200th line.
curl_through drops 'curl "$@" | sed -u 0~200d' && unequal drops lost
curl_through doubles 'curl "$@" | sed -u 0~200p' && unequal doubles duplicated
# The stamp is there, but not what the line must say.
if curl_through mangles 'curl "$@" | sed -u "0~100s/# .*/# something else/"'; then
	new_folder
	perfbpf run -o "$DIR" --target "$WORK/mangles.yaml" --vs curl "${short[@]}"
	equal mangles/exit "$RC" 96
	holds mangles/counted '.rounds[] | select(.side == "A") | .work.malformed > 50'
	holds mangles/no-winner '.verdict.winner == null and .verdict.valid == false'
fi

# The bound can be set: half a percent is within one.
if [[ -e $WORK/drops.yaml ]]; then
	new_folder
	perfbpf run -o "$DIR" --target "$WORK/drops.yaml" --vs curl "${short[@]}" --work-bound 1%
	equal bound/exit "$RC" 0
	holds bound/valid '.verdict.valid == true'
fi

# A tool may write lines of its own: they are counted apart.
if curl_through chatters 'curl "$@" | sed -u "0~500a a line of my own"'; then
	new_folder
	perfbpf run -o "$DIR" --target "$WORK/chatters.yaml" --vs curl "${short[@]}"
	equal chatters/exit "$RC" 0
	holds chatters/counted '.rounds[] | select(.side == "A") | .work.foreign > 20'
fi

# A tool that is too slow for the load does not do the work either.
if curl_through slow 'curl "$@" | while IFS= read -r line; do printf "%s\n" "$line"; done'; then
	new_folder
	LIMIT=90 perfbpf run -o "$DIR" --target "$WORK/slow.yaml" --vs curl "${short[@]}" --rate 200k
	check slow/exit "exit $RC" test "$RC" = 96
	holds slow/no-winner '.verdict.winner == null'
fi
