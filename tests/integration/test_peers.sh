#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Real stern against kubectl, and wake against stern, where they are installed.
# shellcheck disable=SC2016
# lane: single
. "$(dirname "$0")/lib.sh"
need_bpf

[[ -n ${PERFBPF_STERN:-} ]] && PATH=$(dirname "$PERFBPF_STERN"):$PATH
[[ -x ${HOME:-/nonexistent}/.local/bin/stern ]] && PATH=$PATH:$HOME/.local/bin
short=(--rounds 1 --warmup 4s --duration 2s --cooldown 200ms)

# peers A B SCENARIO
peers() {
	local name=$1-$2-$3 tool
	for tool in "$1" "$2"; do
		if ! command -v "$tool" >/dev/null; then
			skip "$name" "there is no $tool on PATH (tools/install-peers.sh)"
			return
		fi
	done
	new_folder
	LIMIT=120 perfbpf run -o "$DIR" --target "$1" --vs "$2" --scenario "kubelogs/$3" "${short[@]}"
	if ((RC != 0)); then
		fail "$name" "exit $RC: $(error_line); $(value '[.rounds[].validity.reasons[]] | join("; ")')"
		return
	fi
	ok "$name"
	holds "$name/same-work" '[.rounds[].work.lines] | (max - min) / max < 0.02'
	holds "$name/all-lines-came" '[.rounds[].work | .lost + .duplicated + .malformed] | add == 0'
	holds "$name/cost-is-the-tool's" '[.rounds[].cpu.total_seconds] | min > 0.01'
	holds "$name/processes" "[.rounds[] | select(.side == \"A\") | .processes[].exe | strings | split(\"/\")[-1]] |
		any(startswith(\"$1\"))"
}
for scenario in basic error_filter complex_filter json_filter high_frequency; do
	peers stern kubectl "$scenario"
done
peers wake stern basic
