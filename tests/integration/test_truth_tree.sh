#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# However the program is started, its cost is the side's. (The mistake to avoid: what
# `eval "$command" &` leaves in `$!` is a subshell, and its cost is not the program's.)
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf
looks_not_at requests
T=$WORK/truth.json

# tree NAME COMMAND: COMMAND burns for about half a second and writes its truth.
tree() {
	local name=$1 command=$2 seconds
	rm -f "$T"
	measure "$name" --target "$command" || return
	if ! [[ -s $T ]]; then
		fail "$name" 'the window was closed before the whole tree had ended'
		return
	fi
	seconds=$(value .cpu_seconds "$T")
	within "$name" \
		"$(value ".rounds[0].processes[] | select(.pid == $(value .pid "$T")) | .cpu_seconds")" \
		"$seconds" 0.5 0.002
	# The shells around it cost a little more.
	holds "$name/in-total" ".rounds[0].cpu.total_seconds |
		. >= $seconds * 0.995 - 0.002 and . <= $seconds + 0.1"
	holds "$name/ended-in-window" "[.rounds[0].processes[] | select(.exited_at == null)] | length == 0"
}

burn="$TRUTH/burn 1 0.5 --truth $T"
tree eval-not-waited-for "bash -c 'eval \"$burn > /dev/null\" &'"
tree pipe "bash -c '$burn | cat'"
tree daemonized-by-double-fork "$TRUTH/daemonize double-fork 0.5 --truth $T"
# For an emulated machine, where each run takes long, that is enough.
[[ -z ${PERFBPF_TEST_EMULATED:-} ]] || exit 0
tree bash "bash -c '$burn > /dev/null'"
tree bash-with-more "bash -c '$burn > /dev/null; true'"
tree eval "bash -c 'eval \"$burn > /dev/null\" & wait'"
tree timeout "timeout 20 $burn"
for mode in setsid eval; do
	tree "daemonized-by-$mode" "$TRUTH/daemonize $mode 0.5 --truth $T"
done
