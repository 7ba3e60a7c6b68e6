#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Nothing is left behind: not after Ctrl-C, SIGTERM or the death of perfbpf, not by
# programs that ignore SIGTERM, nor by those that have left their parent and session.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf
# What perfbpf leaves there can be told from what others do.
export TMPDIR=$WORK/tmp
mkdir -m 1777 "$TMPDIR"

stubborn="$TRUTH/ignoreterm 100 --daemon --children 2 $MARK"

# interrupted NAME SIGNAL EXIT ARGUMENT...: `perfbpf run ARGUMENT...` gets SIGNAL in its window.
interrupted() {
	local name=$1 signal=$2 exit=$3
	shift 3
	new_folder
	start_perfbpf run --debug "${LEFT_OUT[@]}" -o "$DIR" "$@"
	if ! wait_for 20 window_is_open; then
		fail "$name" "the window did not open: $(error_line)"
		kill -KILL "$PID"
		end_marked
		return 1
	fi
	sleep 0.4
	kill "-$signal" "$PID"
	wait_end 20
	equal "$name/exit" "$RC" "$exit"
	# After a crash it may take a moment until the kernel has told the others.
	[[ $signal == KILL ]] && wait_for 5 none_marked
	if none_marked; then
		ok "$name/nothing-left"
	else
		fail "$name/nothing-left" "$(marked_pids | xargs ps -o pid=,ppid=,args= -p)"
		end_marked
	fi
	[[ $signal == KILL ]] && return
	holds "$name/saved" '.complete == false and (.rounds | length >= 1)'
	holds "$name/measured" '.rounds[-1].window_seconds > 0.2'
}

# Of what an emulated machine, where each run takes long, leaves out, nothing depends on the kernel.
for signal in $(scaled 'INT:130 TERM:143 HUP:129 KILL:137' 'TERM:143 KILL:137'); do
	interrupted "command-${signal%:*}" "${signal%:*}" "${signal#*:}" --rounds 3 --target "$stubborn"
done
if [[ -z ${PERFBPF_TEST_EMULATED:-} ]]; then
	interrupted burning TERM 143 --target "$TRUTH/burn 2 60 $MARK"
	# Where others keep the CPUs, the most of its time is spent waiting for one.
	holds burning/cpu-is-saved '.rounds[-1] | .cpu.total_seconds > 0 and
		.cpu.total_seconds + .time.run_queue_seconds > 0.3'
fi

if [[ -n ${PERFBPF_TEST_EMULATED:-} ]]; then
	echo 'sides of scenarios are ended as commands are' >&2
elif command -v curl >/dev/null; then
	for signal in INT:130 TERM:143 KILL:137; do
		interrupted "scenario-${signal%:*}" "${signal%:*}" "${signal#*:}" --target curl --vs curl \
			--scenario kubelogs/basic --warmup 500ms --duration 20s --cooldown 0
	done
	# The one that was killed may leave a folder, the others not.
	left=$(find "$TMPDIR" -maxdepth 1 -name 'perfbpf*' | wc -l)
	check scenario/no-folder-left "$left private folders were left" test "$left" -le 1
else
	skip scenario 'there is no curl on PATH'
fi

# In warm-up there is nothing to save yet, but nothing is left either.
if [[ -z ${PERFBPF_TEST_EMULATED:-} ]] && command -v curl >/dev/null; then
	new_folder
	start_perfbpf run --debug -o "$DIR" --target curl --scenario kubelogs/basic --warmup 30s
	sleep 1.5
	kill -INT "$PID"
	wait_end 20
	equal warm-up/exit "$RC" 130
	check warm-up/nothing-left "$(marked_pids | xargs -r ps -o args= -p)" none_marked
fi

# A side that goes on after its round is ended with its whole tree: TERM, then KILL.
if command -v curl >/dev/null &&
	curl_through end-of-round "$stubborn >/dev/null 2>&1 </dev/null & exec curl \"\$@\""; then
	new_folder
	perfbpf run --quiet "${LEFT_OUT[@]}" -o "$DIR" --target "$WORK/end-of-round.yaml" --scenario kubelogs/basic \
		--rounds 1 --warmup 500ms --duration 1s --cooldown 0
	equal end-of-round/exit "$RC" 0
	holds end-of-round/was-there '[.rounds[0].processes[].comm] | index("ignoreterm") != null'
	check end-of-round/nothing-left "$(marked_pids | xargs -r ps -o args= -p)" none_marked
fi

# The programs themselves are gone from the kernel with perfbpf: no process of this test is left, and none
# is loaded that nobody holds. (Others may be measuring on this machine.)
no_programs() {
	none_marked || return
	bpftool -j prog show |
		jq -r '.[] | select(.name // "" | test("^(lifecycle_fork|sched_switched)")) | .id' | sort >"$WORK/loaded"
	grep -hs '^prog_id:' /proc/[0-9]*/fdinfo/* | awk '{ print $2 }' | sort -u >"$WORK/held"
	[[ -z $(comm -23 "$WORK/loaded" "$WORK/held") ]]
}
if command -v bpftool >/dev/null; then
	check programs-are-gone 'they are still loaded' wait_for 10 no_programs
fi
