#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --syscalls: calls and their errors to the last one, and how long they took.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf
looks_not_at requests
T=$WORK/truth.json

# calls NAME FIELD: of the system call in the last result.
calls() { value "[.rounds[0].syscalls[] | select(.name == \"$1\") | .$2] | add // 0"; }

# What the program loader does comes on top, and is the same each time.
measure nothing --syscalls --target "$TRUTH/syscalls 0 0 --truth $T" || exit 1
before=()
for name in read write close getppid; do
	before[${#before[@]}]="$(calls $name count) $(calls $name errors)"
done
N=$(scaled 50000 5000)
if measure many --syscalls --target "$TRUTH/syscalls $N 700 --sleeps 40 --truth $T"; then
	i=0
	# NAME, calls and of them errors that come on top
	while read -r name count errors; do
		read -r count_before errors_before <<<"${before[i]}"
		i=$((i + 1))
		equal "many/$name" "$(calls "$name" count)" $((count_before + count))
		equal "many/$name-errors" "$(calls "$name" errors)" $((errors_before + errors))
		equal "many/$name-times" "$(calls "$name" latency.count)" $((count_before + count))
	done <<-END
		read $((N + 700)) 700
		write $((N + 700)) 700
		close 700 700
		getppid $N 0
	END
	equal many/nanosleep "$(calls nanosleep count)" 40
	within many/nanosleep-seconds "$(calls nanosleep total_seconds)" \
		"$(value .slept_seconds "$T")" 1 0.002
	holds many/slowdown '.rounds[0].observer.syscall_slowdown_seconds > 0'
	holds many/most-time-first '.rounds[0].syscalls | [.[].total_seconds] | . == (sort | reverse)'
	nothing_lost many
fi
measure off --target "$TRUTH/syscalls 100 0 --truth $T" &&
	holds off/not-looked-at '.rounds[0] | (.syscalls // []) == [] and .observer.syscall_slowdown_seconds == null'
