# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What an event costs: rows by BPF run-time statistics, each beside the tool that one would
# use for it alone, on the same work. Read by bench.sh.
# shellcheck disable=SC2154

# --- a whole tree of processes -----------------------------------------------------

total_ms() { awk -v turns="$turns" '{ s += $2 * $3 } END { printf "%.2f ms", s / 1e6 / turns }' "$1"; }

# The event, what of tree.bt sees it, which of perfbpf's programs does.
tree_events=(
	fork:sched_process_fork:lifecycle_fork
	exec:sched_process_exec:lifecycle_exec
	exit:sched_process_exit:lifecycle_exit
	switch:sched_switch:sched_switched
	send:sock_send_length:socket_send
	receive:sock_recv_length:socket_receive
	state:inet_sock_set_state:socket_set_state
	retransmit:tcp_retransmit_skb:socket_retransmit
)

cost_of_events() {
	local entry event theirs ours program ns compared=' '
	in_turns tree '' "$ROOT/tools/bench/workload.sh $truth" "bpftrace $ROOT/tools/bench/tree.bt PID" || return
	for entry in "${tree_events[@]}"; do
		IFS=: read -r event theirs ours <<<"$entry"
		event_row "$event" tree "$ours" 0.5 "bpftrace:$theirs"
		compared+="$ours "
	done
	if [[ -s $work/tree.bpftrace-ns ]]; then
		theirs=$(ns_of page_fault_user "$work/tree.bpftrace-ns")
		row 'event page fault: read from the task, no program' '0 ns' "<= $(number %.0f "$theirs / 2") ns" \
			"bpftrace $theirs ns"
	fi
	while read -r program ns _; do
		[[ $compared == *" $program "* ]] && continue
		row "  program $program" "$(number %.0f "$ns") ns" - -
	done <"$work/tree.ours-ns"
	if [[ -s $work/tree.bpftrace-ns ]]; then
		row 'all of that work, once' "$(total_ms "$work/tree.ours-ns")" - \
			"bpftrace $(total_ms "$work/tree.bpftrace-ns")"
	fi
}

# --- waiting -------------------------------------------------------------------------

# One process that sleeps often; and one whose threads are in each other's way.
cost_of_waiting() {
	local peers=('runqlat -p PID' 'offcputime -p PID 60')
	in_turns sleeps '' "$truth/switches 8000" "${peers[@]}" || return
	in_turns convoy '' "$truth/convoy 4 1 --hold 20" "${peers[@]}" || return
	event_row 'switch, of sleeps' sleeps sched_switched 1 runqlat:sched_switch offcputime:sched_switch
	event_row 'wakeup, of sleeps' sleeps sched_woken 1 runqlat:sched_wakeup
	event_row 'switch, of a mutex' convoy sched_switched 1 runqlat:sched_switch offcputime:sched_switch
	event_row 'wakeup, of a mutex' convoy sched_woken 1 runqlat:sched_wakeup
	in_turns connect '' "$truth/connections open 1000" 'tcplife -p PID' || return
	event_row 'state, of connections' connect socket_set_state 1 tcplife:inet_sock_set_state
}

# --- system calls --------------------------------------------------------------------

# What a call takes a process that nobody follows, in ns: adds it to FILE.
bystander() {
	local begin=${EPOCHREALTIME/./}
	"$truth/syscalls" 150000 0 >/dev/null
	number '%.1f\n' "(${EPOCHREALTIME/./} - $begin) * 1000 / 450000" >>"$1"
}

# The same while perfbpf --syscalls follows another process.
bystander_of_us() {
	local pid i
	rm -rf "$work/bystander"
	"$perfbpf" run --quiet --debug --syscalls --observer off --rounds 1 -o "$work/bystander" \
		--target 'sleep 1.5' >/dev/null 2>"$work/err" </dev/null &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		grep -q 'window open' "$work/err" && break
		sleep 0.05
	done
	bystander "$1"
	wait "$pid"
}

# least NAME: of all turns, since what else the machine does only adds.
least() { sort -n "$work/bystander.$1" | head -n 1; }

cost_of_calls() {
	local turn beside
	in_turns calls --syscalls "$truth/syscalls 100000 0" 'syscount -L -p PID' || return
	event_row 'call begins' calls syscall_enter 1 syscount:sys_enter
	event_row 'call ends' calls syscall_exit 1 syscount:sys_exit
	for ((turn = 0; turn < turns; turn++)); do
		bystander "$work/bystander.alone"
		bystander_of_us "$work/bystander.ours" || return
		start_peer syscount -L -p $$ || continue
		bystander "$work/bystander.theirs"
		end_peer /dev/null syscount
	done
	beside="syscount ${skipped[syscount]:+skipped: ${skipped[syscount]}}"
	[[ -s $work/bystander.theirs ]] && beside+="-L: +$(number %.0f "$(least theirs) - $(least alone)") ns"
	row 'a call of a process not followed, with --syscalls' \
		"+$(number %.0f "$(least ours) - $(least alone)") ns" - "$beside; alone $(number %.0f "$(least alone)") ns"
	row '  what perfbpf says of that' \
		"+$(value bystander '.rounds[0].observer.syscall_slowdown_seconds * 1e9 | round') ns" - -
}

# --- storage -------------------------------------------------------------------------

cost_of_storage() {
	local folder
	# Below build/, since /tmp may have no storage.
	folder=$(mktemp -d "$ROOT/build/bench/disk.XXXXXX") || return
	folders+=("$folder")
	chmod 777 "$folder"
	if ! "$truth/diskbound" "$folder" 0.1 >/dev/null 2>"$work/err"; then
		row 'event block request' "skipped: $(tail -n 1 "$work/err" | cut -c 1-40)" - -
		return 0
	fi
	in_turns disk '' "$truth/diskbound $folder 1.5" 'biolatency -Q' || return
	event_row 'block request queued' disk io_block_insert 1 biolatency:block_rq_insert_btf
	event_row 'block request issued' disk io_block_issue 1 biolatency:block_rq_issue_btf
	event_row 'block request done' disk io_block_complete 1 biolatency:block_rq_complete_btf
}
