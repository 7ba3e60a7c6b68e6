#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Faults: the proxy by itself, each kind against real processes, and the next start after one whose
# undoing was cut by SIGKILL.
# lane: single
. "$(dirname "$0")/lib.sh"
need_command jq

# --- the proxy -------------------------------------------------------------------

proxy_cases() {
	declare -A saw
	local key word
	while read -r key word; do
		saw[$key]=$word
	done < <(timeout 60 python3 tests/integration/faults_proxy.py "$PERFBPF" "$MARK" 3>&-)
	equal proxy/ends-with-its-socket "${saw[exit_code]:-}" 0
	equal proxy/8-mib-through-and-back "${saw[plain_same]:-}" 1
	equal proxy/50-connections "${saw[many_same]:-}" 50
	between proxy/delay-50-ms "${saw[delay_more_ms]:-}" 50 50 10 5
	equal proxy/delay/order "${saw[delay_same]:-}" 1
	# Without a delay line 64 KiB would pass in each 50 ms: 1.3 MiB/s.
	check proxy/delay/bandwidth "only ${saw[delay_mib_per_second]:-} MiB/s" \
		awk "BEGIN { exit !(${saw[delay_mib_per_second]:-0} > 4) }"
	check proxy/delay/undone "still ${saw[delay_after_ms]:-} ms" \
		awk "BEGIN { exit !(${saw[delay_after_ms]:-99} < 10) }"
	# 200 draws at 0.2: 40, four standard deviations are 23.
	within proxy/drawn-20-percent "${saw[drawn_affected]:-}" 40 0 23
	within proxy/drawn-are-late "${saw[drawn_late]:-}" "${saw[drawn_affected]:-}" 0 3
	equal proxy/stall/nothing-passes "${saw[stall_quiet]:-}" 1
	equal proxy/stall/connections "${saw[stall_affected]:-}" 2
	equal proxy/stall/goes-on "${saw[stall_other]:-}" late
	equal proxy/stall/nothing-lost "${saw[stall_same]:-}" 1
	equal proxy/reset/open-connection "${saw[reset_old]:-}" reset
	equal proxy/reset/new-connection "${saw[reset_new]:-}" reset
	equal proxy/reset/undone "${saw[reset_after]:-}" 1
	# 400 draws at 0.05: 20, four standard deviations are 17.
	within proxy/reset/5-percent "${saw[reset_drawn]:-}" 20 0 17
	equal proxy/reset/told "${saw[reset_drawn_told]:-}" "${saw[reset_drawn]:-none}"
	within proxy/bandwidth/one-connection "${saw[bandwidth_share_1]:-}" 1 10
	within proxy/bandwidth/four-connections "${saw[bandwidth_share_4]:-}" 1 10
	equal proxy/bandwidth/nothing-lost "${saw[bandwidth_same_1]:-} ${saw[bandwidth_same_4]:-}" '1 4'
	equal proxy/servers-reset "${saw[server_reset]:-}" reset
	equal proxy/servers-end "${saw[server_end]:-}" bye
	equal proxy/no-server "${saw[server_none]:-} ${saw[server_none_refused]:-}" 'reset 1'
	equal proxy/not-understood "${saw[wrong_effect]:-} ${saw[wrong_delay]:-}" 'error error'
	equal proxy/holds-nothing-at-the-end "${saw[left_held_bytes]:-}" 0
	within proxy/no-cpu-when-idle "${saw[idle_cpu_ms]:-}" 0 0 10
}

if command -v python3 >/dev/null; then
	proxy_cases
else
	skip proxy 'there is no python3'
fi
perfbpf proxy --listen 0.0.0.0:7001 --to 127.0.0.1:7002 --control-fd 0
equal proxy/loopback-only "$RC" 2
perfbpf proxy --listen 127.0.0.1:7001 --to 127.0.0.1:7002
equal proxy/needs-a-control-socket "$RC" 2

# --- kinds, against real processes ---------------------------------------------------

# As a user has it, where root can become one: journals of root are for root's own runs.
folder=$WORK/state
mkdir "$folder"
as_user=()
if ((EUID == 0)) && command -v setpriv >/dev/null && nobody_can_reach "$PERFBPF"; then
	chown "$NOBODY" "$folder"
	as_user=(setpriv "--reuid=$NOBODY" "--regid=$NOBODY" --clear-groups --inh-caps=-all)
elif ((EUID == 0)); then
	skip kinds 'user nobody cannot reach perfbpf'
	exit
fi
as_user+=(env "XDG_STATE_HOME=$folder" "HOME=$folder" "PERFBPF_TEST_MARK=$MARK")

scenario() {
	{
		printf 'driver: kubelogs\nphases: [{name: m, role: measured, duration: %s}]\n' "$1"
		printf 'kubelogs: {}\nfaults:\n'
		printf '  - %s\n' "${@:2}"
	} >"$WORK/faults.yaml"
}

# fault ARGUMENT...: to its end; RC and $OUT are what came of it.
fault() {
	timeout -k 5 30 "${as_user[@]}" "$PERFBPF" fault "$WORK/faults.yaml" "$@" \
		>"$OUT" 2>"$ERR" </dev/null 3>&-
	RC=$?
}

of() { jq -r "select(.event == \"result\" and .fault == \"$1\") | $2" "$OUT"; }
state() { ps -o stat= -p "$1" | cut -c 1; }
is_state() { [[ $(state "$1") == "$2" ]]; }

# burning: the PIDs of stress-ng as this test has started it.
burning() {
	local file
	while read -r file; do
		grep -qs '^stress-ng' "${file%environ}comm" && basename "${file%/environ}"
	done < <(grep -lsaF "$MARK" /proc/[0-9]*/environ)
}
burns() { [[ -n $(burning) ]]; }

start_sleeper() {
	start_other "${as_user[@]}" sleep 97
	VICTIM=$OTHER
	wait_for 5 is_sleep "$VICTIM"
}
is_sleep() { [[ $(ps -o comm= -p "$1") == sleep ]] && is_state "$1" S; }

start_sleeper
scenario 2s '{name: freeze, kind: signal, signal: STOP, for: 500ms}' \
	'{name: end, kind: signal, signal: TERM, at: 1s}'
fault --pid "target=$VICTIM"
equal signal/exit "$RC" 0
equal signal/stop "$(of freeze '"\(.verified) \(.undone) \(.affected)"')" 'true true 1'
between signal/stop/length "$(of freeze '(.ended_at_ns - .applied_at_ns) / 1e6')" 490 500 10 50
equal signal/term "$(of end '"\(.verified) \(.undone) \(.ended_at_ns)"')" 'true true 0'
check signal/term/is-gone 'it still runs' is_zombie_or_gone "$VICTIM"

scenario 1s '{name: many, kind: signal, signal: KILL, component: target.b}'
fault --pid "target=$$"
equal signal/no-such-component "$RC" 1
check signal/no-such-component/says-so "$(of many .error)" grep -q "'b'" <<<"$(of many .error)"

if command -v stress-ng >/dev/null; then
	scenario 3s '{name: hog, kind: cpu, workers: 1, for: 1s}' \
		'{name: swell, kind: memory, bytes: 64MiB, for: 1500ms}' \
		'{name: write, kind: io, bytes: 8MiB, at: 200ms, for: 1500ms}'
	fault
	equal pressure/exit "$RC" 0
	for name in hog swell write; do
		equal "pressure/$name" "$(of "$name" '"\(.verified) \(.undone) \(.error)"')" 'true true null'
	done
	check pressure/nothing-left 'stress-ng still runs' test -z "$(burning)"
else
	skip pressure 'there is no stress-ng'
fi
scenario 1s '{name: hog, kind: cpu, workers: 1}'
timeout 20 "${as_user[@]}" PATH=/nonexistent "$PERFBPF" fault "$WORK/faults.yaml" >"$OUT" 2>"$ERR" </dev/null
check pressure/without-stress-ng 'no word of it' grep -q 'install.*stress-ng' "$OUT"

# --- cut by SIGKILL --------------------------------------------------------------------

# start_fault ARGUMENT...: in the background as process PID.
start_fault() {
	"${as_user[@]}" "$PERFBPF" fault "$WORK/faults.yaml" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- &
	PID=$!
	started+=("$PID")
}
files() { find "$folder" -name 'faults-*' | wc -l; }

start_sleeper
scenario 20s '{name: freeze, kind: signal, signal: STOP}'
start_fault --pid "target=$VICTIM"
check cut/stopped 'it was not stopped' wait_for 5 is_state "$VICTIM" T
equal cut/is-in-the-journal "$(files)" 1
# Another run leaves the faults of a living one alone.
cp "$WORK/faults.yaml" "$WORK/long.yaml"
scenario 100ms '{name: one, kind: signal, signal: USR1, leader: [echo, nobody]}'
fault --pid "target=$VICTIM"
equal cut/not-while-its-owner-lives "$(state "$VICTIM")" T
kill -KILL "$PID"
wait "$PID" 2>/dev/null
equal cut/stays-stopped "$(state "$VICTIM")" T
timeout 20 "${as_user[@]}" "$PERFBPF" doctor >"$WORK/doctor" 2>&1 </dev/null
check cut/doctor-shows-it "$(head -c 200 "$WORK/doctor")" grep -q "left .*'freeze'" "$WORK/doctor"
equal cut/doctor-only-looks "$(state "$VICTIM")" T
fault --pid "target=$VICTIM"
check cut/next-start-continues-it 'it does not go on' wait_for 2 is_state "$VICTIM" S
check cut/next-start-says-so "$(cat "$ERR")" grep -q "'freeze'.*go on" "$ERR"
equal cut/journals-are-gone "$(files)" 0
kill -KILL "$VICTIM"

if command -v stress-ng >/dev/null; then
	scenario 30s '{name: hog, kind: cpu, workers: 1}'
	start_fault
	if wait_for 8 burns && wait_for 5 grep -q began "$OUT"; then
		kill -KILL "$PID"
		wait "$PID" 2>/dev/null
		check cut/program-runs-on 'it has ended by itself' burns
		scenario 100ms '{name: one, kind: signal, signal: USR1, leader: [echo, nobody]}'
		fault
		check cut/program-is-ended 'stress-ng still runs' test -z "$(burning)"
		equal cut/program/journals-are-gone "$(files)" 0
	else
		fail cut/program 'stress-ng did not come to work'
	fi
fi

# By Ctrl-C it is undone at once.
start_sleeper
scenario 20s '{name: freeze, kind: signal, signal: STOP}'
start_fault --pid "target=$VICTIM"
wait_for 5 is_state "$VICTIM" T
kill -INT "$PID"
wait_end 5
equal interrupted/exit "$RC" 130
check interrupted/goes-on 'it does not go on' wait_for 2 is_state "$VICTIM" S
equal interrupted/nothing-left "$(files)" 0

# --- the next start is `perfbpf run` ------------------------------------------------------

if ((EUID != 0)) || ! has_capability 21 || [[ ! -e /sys/kernel/btf/vmlinux ]]; then
	skip run 'needs root and BPF'
	exit
fi
start_other sleep 98
VICTIM=$OTHER
wait_for 5 is_sleep "$VICTIM"
scenario 20s '{name: freeze, kind: signal, signal: STOP}'
as_user=(env "PERFBPF_TEST_MARK=$MARK")
start_fault --pid "target=$VICTIM"
wait_for 5 is_state "$VICTIM" T
kill -KILL "$PID"
wait "$PID" 2>/dev/null
equal run/stays-stopped "$(state "$VICTIM")" T
perfbpf run --quiet --rounds 1 -o "$WORK/result" --target true
equal run/exit "$RC" 0
check run/continues-it 'it does not go on' wait_for 2 is_state "$VICTIM" S
check run/says-so "$(head -c 300 "$ERR")" grep -q "'freeze'.*go on" "$ERR"
