#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck disable=SC2016
# Where the time of threads goes: all of it is explained, waits have their reason, and what
# limits a program that is known to be limited is named.
. "$(dirname "$0")/lib.sh"
need_bpf
looks_not_at requests
T=$WORK/truth.json
CPUS=$(nproc)

truth() { value "$1" "$T"; }

# time_of NAME PROGRAM ARGUMENT...
time_of() {
	local name=$1
	shift
	rm -f "$T"
	look_for_quiet
	measure "$name" --target "$TRUTH/$* --truth $T" || return
	if [[ $(value '.rounds[0].time != null') != true ]]; then
		fail "$name" 'no time was looked at'
		return 1
	fi
	all_explained "$name"
	nothing_lost "$name"
}

# all_explained NAME: for each thread that lived for 10 ms the parts add up to its life within
# 0.1 %. A part that is counted twice would show as a negative rest.
all_explained() {
	equal "$1/threads-are-told" \
		"$(jq -r --slurpfile t "$T" '[.rounds[0].threads[].tid] as $seen |
			[$t[0].threads[]?.tid] - $seen | join(" ")' "$DIR/run.json")" ''
	equal "$1/unaccounted" "$(value '[.rounds[0].threads[] | select(.time.wall_seconds > 0.01)
		| select((.time.unaccounted_seconds | fabs) > 0.001 * .time.wall_seconds)
		| "\(.comm) \(.tid): \(.time.unaccounted_seconds) of \(.time.wall_seconds)"] | join(", ")')" ''
	equal "$1/reasons-add-up" "$(value '[.rounds[0].threads[] | .time | select(
		(.futex_seconds + .socket_seconds + .pipe_seconds + .disk_seconds + .timer_seconds
			+ .other_seconds - .waiting_seconds | fabs) > 1e-6)] | length')" 0
	within "$1/threads-add-up" "$(value '[.rounds[0].threads[].time.wall_seconds] | add')" \
		"$(value '.rounds[0].time.wall_seconds')" 0.1
}

# by_thread NAME FIELD OF-TRUTH PERCENT ABSOLUTE: compares each thread with what it says itself;
# FIELD and OF-TRUTH are jq filters of a thread's time and of its truth ($truth).
by_thread() {
	local wrong
	wrong=$(jq -r --slurpfile t "$T" --argjson p "$4" --argjson b "$5" '
		[.rounds[0].threads[] | {key: "\(.tid)", value: .time}] | from_entries as $seen |
		[$t[0].threads[] | . as $truth | $seen["\(.tid)"] | ('"$2"') as $a |
			($truth | '"$3"') as $e | ([$e * $p / 100, $b] | max) as $m |
			select(($a - $e | fabs) > $m) |
			"\($truth.name // $truth.tid): \($a) instead of \($e)"] | join(", ")' \
		"$DIR/run.json")
	equal "$1" "$wrong" ''
}

# limit_is NAME LIMIT: what limits it where it has the machine for itself.
limit_is() {
	if [[ $QUIET != yes ]]; then
		skip "$1/limited-by" 'others keep this machine busy'
		return
	fi
	equal "$1/limited-by" "$(value '.rounds[0].phases[0].limited_by')" "$2"
	holds "$1/limit" '.rounds[0].phases[0].limit | length > 10'
}

# 20 threads that want a CPU all the time.
if time_of hogs "hogs 20 $(scaled 2 1)"; then
	by_thread hogs/on-cpu .on_cpu_seconds .cpu_seconds 1 0.002
	if [[ $(truth '.threads[0].run_queue_seconds >= 0') == true ]]; then
		by_thread hogs/run-queue .run_queue_seconds .run_queue_seconds 1 0.005
	else
		by_thread hogs/run-queue .run_queue_seconds '.wall_seconds - .cpu_seconds' 2 0.01
	fi
	if ((CPUS < 20)); then
		limit_is hogs cpu
	else
		skip hogs/limited-by "this machine has $CPUS CPUs"
	fi
	holds hogs/latency '.rounds[0].latency.run_queue.count > 0'
	# Each way through the run queue is in it, but those that last at the window's end.
	between hogs/run-queue-sum "$(value '.rounds[0].latency.run_queue | .mean_seconds * .count')" \
		"$(value '.rounds[0].time.run_queue_seconds * 0.9')" \
		"$(value '.rounds[0].time.run_queue_seconds')" 1 0.005
fi

# 20 threads behind one mutex.
if time_of convoy "convoy 20 $(scaled 1.5 0.8)"; then
	by_thread convoy/on-cpu .on_cpu_seconds .cpu_seconds 1 0.002
	# A thread that gets the mutex is not on a CPU at once: that is in what it says itself.
	by_thread convoy/lock-at-most '[.lock_seconds, $truth.waited_seconds] | max' .waited_seconds 1 0.002
	by_thread convoy/lock-at-least \
		'[.lock_seconds + .run_queue_seconds + .on_cpu_seconds, $truth.waited_seconds] | min' \
		.waited_seconds 1 0.002
	holds convoy/lock-is-futex '.rounds[0].time | .lock_seconds <= .futex_seconds + 1e-9'
	limit_is convoy lock
fi

# Reads and writes past the page cache; what is below WORK may be no storage.
"$TRUTH/diskbound" "$WORK" 0.1 >/dev/null
if (($? == 77)); then
	skip diskbound 'no access past the page cache here, or no storage below it'
elif time_of diskbound "diskbound $WORK $(scaled 1.5 0.8) --threads 2"; then
	by_thread diskbound/disk '.disk_seconds + .run_queue_seconds + .on_cpu_seconds' .wall_seconds 3 0.005
	if [[ -n ${PERFBPF_TEST_EMULATED:-} ]]; then
		skip diskbound/limited-by 'an emulated CPU is no faster than its disk'
	else
		limit_is diskbound disk
	fi
	# Requests that the kernel's own threads had to make, where the device's queue was full, are
	# not in it.
	between diskbound/block-reads "$(value '.rounds[0].io.block_reads')" "$(truth .reads)" \
		"$(truth '.reads + 50')" 1
	between diskbound/block-read-bytes "$(value '.rounds[0].io.block_read_bytes')" \
		"$(truth '.reads * .bytes_each')" "$(truth '.reads * .bytes_each + 4194304')" 1
	between diskbound/storage-read-bytes "$(value '.rounds[0].io.storage_read_bytes')" \
		"$(truth '.reads * .bytes_each')" "$(truth '.reads * .bytes_each + 4194304')" 0.1
	wrote=$(truth '.writes // 0')
	if ((${wrote:-0} > 0)); then
		holds diskbound/block-writes ".rounds[0].io.block_writes >= $(truth .writes)"
		# One more of the file's own making; an fsync that finds nothing to do may not wait.
		holds diskbound/fsyncs ".rounds[0].io.fsyncs | . <= $(truth '.fsyncs + 1') and . > 0"
		holds diskbound/latency '.rounds[0].latency | .block_read.count > 0 and .block_write.count > 0
			and .fsync.count > 0'
		# All of those that waited, and not more than the calls took.
		# (From the first wait to the last wake-up: how long it then is for a CPU is no part.)
		least=0
		[[ $QUIET != yes ]] || least=0.5
		between diskbound/fsync-seconds \
			"$(value '.rounds[0].latency.fsync | .mean_seconds * .count')" \
			"$(truth ".fsync_seconds * $least")" "$(truth .fsync_seconds)" 2 0.002
	else
		skip diskbound/writes 'the program came to no write in its time'
	fi
	equal diskbound/no-errors "$(value '.rounds[0].io.block_errors')" 0
fi

# Asleep by its own wish.
if time_of sleeper "sleeper 1.5"; then
	by_thread sleeper/timer .timer_seconds .waited_seconds 1 0.005
	limit_is sleeper sleep
	# Naps of 20 ms or a little more, each of them a wait.
	within sleeper/wait-p50 "$(value '.rounds[0].latency.wait_timer.p50_seconds')" 0.02 2
	within sleeper/wait-count "$(value '.rounds[0].latency.wait_timer.count')" \
		"$(truth .naps)" 0 1
	within sleeper/wait-sum "$(value '.rounds[0].latency.wait_timer | .mean_seconds * .count')" \
		"$(value '.rounds[0].time.timer_seconds')" 1 0.005
fi

# Much going to sleep and waking up: what is lost at each switch adds up.
[[ -n ${PERFBPF_TEST_EMULATED:-} ]] || time_of switches "switches 5000"

# One thread for each way to wait.
if time_of waits "waits 20"; then
	for reason in futex socket pipe timer other; do
		for name in $(truth ".threads[] | select(.reason == \"$reason\" or
			(.reason == \"lock\" and \"$reason\" == \"futex\")) | .name"); do
			tid=$(truth ".threads[] | select(.name == \"$name\") | .tid")
			within "waits/$name" "$(value ".rounds[0].threads[] | select(.tid == $tid) |
				.time | .${reason}_seconds + .run_queue_seconds")" \
				"$(truth ".threads[] | select(.name == \"$name\") | .waited_seconds")" 2 0.005
		done
	done
	equal waits/names "$(value '[.rounds[0].threads[].comm | select(startswith("w-"))] | sort | unique | join(" ")')" \
		"$(truth '[.threads[].name] | sort | join(" ")')"
	# The first thread gives once in 50 ms.
	within waits/futex-p50 "$(value '.rounds[0].latency.wait_futex.p50_seconds')" 0.05 5
	thread() { value ".rounds[0].threads[] | select(.comm == \"$1\") | .time.$2"; }
	within waits/mutex-is-a-lock "$(thread w-mutex lock_seconds)" \
		"$(truth '.threads[] | select(.name == "w-mutex") | .waited_seconds')" 3 0.01
	for name in w-cond w-semaphore w-futex; do
		within "waits/$name-is-no-lock" "$(thread $name lock_seconds)" 0 0 0.01
	done
fi
