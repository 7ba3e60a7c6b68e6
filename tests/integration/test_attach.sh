#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Attaching to a running tree: all is counted from the attach on, and the tree lives on.
. "$(dirname "$0")/lib.sh"
need_bpf
T=$WORK/truth.json

# start_attachee: a tree of 3 + 1 threads, 2 children and a grandchild, paused and marked.
start_attachee() {
	rm -f "$T" "$T.marked"
	"$TRUTH/attachee" 3 2 --truth "$T" "$MARK" </dev/null 3>&- &
	TREE=$!
	started+=("$TREE")
	sleep 0.4
	kill -USR2 "$TREE"
	wait_for 10 test -e "$T.marked"
}

# Until the end of the tree, which forks after the attach.
start_attachee
new_folder
start_perfbpf attach "$TREE" -o "$DIR" --debug
if ! wait_for 15 window_is_open; then
	fail until-its-end "the window did not open: $(error_line)"
else
	sleep 0.2
	kill -USR1 "$TREE"
	sleep 1.5
	kill -TERM "$TREE"
	wait_end 15
	equal until-its-end/exit "$RC" 0
	wait "$TREE"
	within until-its-end/cpu "$(value '.rounds[0].cpu.total_seconds')" "$(value .cpu_seconds "$T")" \
		0.5 0.002
	equal until-its-end/processes "$(value '.rounds[0].processes | length')" \
		"$(value .processes "$T")"
	holds until-its-end/threads ".rounds[0].processes[] | select(.pid == $TREE) | .threads == 4"
	holds until-its-end/ran-before ".rounds[0].processes[] | select(.pid == $TREE) | .started_at < 0"
	holds until-its-end/names '[.rounds[0].processes[].comm] | unique == ["attachee"]'
	holds until-its-end/resident '.rounds[0].memory.rss_peak_bytes > 1000000'
fi

# For a time, by both spellings.
start_attachee
kill -USR1 "$TREE"
for command in attach 'run --pid'; do
	name=for-a-time/${command// /}
	new_folder
	# shellcheck disable=SC2086
	perfbpf $command "$TREE" --duration 700ms -o "$DIR"
	equal "$name/exit" "$RC" 0
	# Never before its time; four threads of the tree that want the CPUs can keep perfbpf from them a little.
	between "$name/window" "$(value '.rounds[0].window_seconds')" 0.7 0.78 0.1
	holds "$name/busy" '.rounds[0].cpu.utilization_avg > 0.3'
	check "$name/tree-lives-on" 'the tree was ended by the attach' kill -0 "$TREE"
done

# Until Ctrl-C, which is how an attach without --duration is ended.
new_folder
start_perfbpf attach "$TREE" -o "$DIR" --debug
if wait_for 15 window_is_open; then
	sleep 0.3
	kill -INT "$PID"
	wait_end 10
	check until-interrupt/exit "exit status $RC" test "$RC" = 0 -o "$RC" = 130
	holds until-interrupt/saved '.rounds[0].cpu.total_seconds > 0'
	check until-interrupt/tree-lives-on 'the tree was ended with perfbpf' kill -0 "$TREE"
else
	fail until-interrupt "the window did not open: $(error_line)"
fi

# A perfbpf that is killed leaves what it attached to alone.
new_folder
start_perfbpf attach "$TREE" -o "$DIR" --debug
wait_for 15 window_is_open
kill -KILL "$PID"
wait "$PID" 2>/dev/null
sleep 0.5
check killed/tree-lives-on 'the tree was ended with perfbpf' kill -0 "$TREE"

# Two trees at a time.
"$TRUTH/burn" 1 20 "$MARK" </dev/null 3>&- >/dev/null &
OTHER=$!
started+=("$OTHER")
new_folder
perfbpf attach "$TREE" "$OTHER" --duration 500ms -o "$DIR"
equal two-trees/exit "$RC" 0
holds two-trees/both "[.rounds[0].processes[].pid] | (index($TREE) != null) and (index($OTHER) != null)"
kill -KILL "$OTHER"
kill -TERM "$TREE"
wait "$TREE" "$OTHER" 2>/dev/null
true
