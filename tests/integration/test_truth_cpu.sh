#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# CPU time against getrusage: within 0.5 % or 2 ms, of the side and of every process.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"
need_bpf
looks_not_at requests

# cpu NAME PROGRAM ARGUMENT...: the cost of the program, and that its parts add up to it.
cpu() {
	local name=$1 truth=$WORK/truth.json total bound=${BOUND:-0.002}
	shift
	rm -f "$truth"
	measure "$name" --target "$TRUTH/$* --truth $truth" || return
	total=$(value '.rounds[0].cpu.total_seconds')
	within "$name" "$total" "$(value .cpu_seconds "$truth")" 0.5 "$bound"
	within "$name/processes-add-up" "$(value '[.rounds[0].processes[].cpu_seconds] | add')" \
		"$total" 0.1 0.0005
	within "$name/user-and-system" \
		"$(value '.rounds[0].cpu | .user_seconds + .system_seconds')" "$total" 0.001 1e-6
	holds "$name/nothing-lost" \
		"[.rounds[0].observer.losses | del(.threads${PERFBPF_TEST_EMULATED:+, .stacks})[]] | add == 0"
}

cpu burn-1 burn 1 "$(scaled 1.5 0.5)"
within burn-1/utilization "$(value '.rounds[0].cpu.utilization_avg')" \
	"$(value '.rounds[0] | .cpu.total_seconds / .window_seconds')" 0.1
# All of a CPU-bound program is user time; the kernel's tick decides, so not to the last bit.
holds burn-1/user-dominates '.rounds[0].cpu | .user_seconds > 0.9 * .total_seconds'
holds burn-1/one-process '.rounds[0].processes | length == 1'
holds burn-1/exit-code '.rounds[0].exit_code == 0 and .rounds[0].signal == null'
equal burn-1/pid "$(value '.rounds[0].processes[0].pid')" "$(value .pid "$WORK/truth.json")"

# In an emulated machine, where each run takes long, what threads-* shows of several on a CPU is enough.
if [[ -z ${PERFBPF_TEST_EMULATED:-} ]]; then
	cpu burn-4 burn 4 1
	holds burn-4/peak-is-not-less-than-average '.rounds[0].cpu | .utilization_peak >= .utilization_avg * 0.95'
	holds burn-4/switches '.rounds[0].cpu.context_switches > 0'
fi

N=$(scaled 2000 200)
cpu "children-$N" children "$N" 1
equal "children-$N/all-seen" "$(value '[.rounds[0].processes[].pid] | unique | length')" $((N + 1))
holds "children-$N/all-ended" '[.rounds[0].processes[] | select(.exited_at == null)] | length == 0'
holds "children-$N/parents" 'first(.rounds[0].processes | sort_by(.started_at)[].pid) as $first |
	[.rounds[0].processes[] | select(.pid != $first and .ppid != $first)] | length == 0'

N=$(scaled 400 100)
cpu "spawned-$N" children "$N" 1 --spawn --at-a-time 4
equal "spawned-$N/all-seen" "$(value '.rounds[0].processes | length')" $((N + 1))

# getrusage takes leave of a thread before its last switch: up to some 10 us each are not in it.
N=$(scaled 500 100)
BOUND=0.007 cpu "threads-$N" threads "$N" 0.5
holds "threads-$N/one-process" '.rounds[0].processes | length == 1'

# A thread that is not the first one takes over the program.
cpu exec-by-thread threads 50 1 --exec
holds exec-by-thread/one-process '.rounds[0].processes | length == 1'

# What it does after its last look, writing the file, counts too: on an emulated CPU it is preempted
# some more times there.
measure switches --target "$TRUTH/switches 2000 --fork --truth $WORK/truth.json" &&
	within switches "$(value '.rounds[0].cpu | .context_switches')" \
		"$(value .context_switches "$WORK/truth.json")" 0.5 "$(scaled 10 40)"
holds switches/involuntary-are-some-of-them '.rounds[0].cpu | .involuntary_switches <= .context_switches'

# Two at the same time do not see each other's.
mkdir "$WORK/two"
N=$(scaled 200 50)
for side in 1 2; do
	"$PERFBPF" run --quiet --rounds 1 "${LEFT_OUT[@]}" -o "$WORK/two/$side" \
		--target "$TRUTH/children $((side * N)) 1 --truth $WORK/two/$side.json" \
		>/dev/null </dev/null 3>&- &
	started+=($!)
done
wait "${started[@]}"
for side in 1 2; do
	DIR=$WORK/two/$side
	within "two-at-once/cpu-$side" "$(value '.rounds[0].cpu.total_seconds')" \
		"$(value .cpu_seconds "$WORK/two/$side.json")" 0.5 0.002
	equal "two-at-once/processes-$side" "$(value '.rounds[0].processes | length')" $((side * N + 1))
done
