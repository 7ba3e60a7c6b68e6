#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A scenario of two measured phases: what was in use, and what limited the run, is told of each.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"
need_bpf
need_command curl pgrep

sed '/^phases:/,/cool-down/d' scenarios/kubelogs/basic.yaml >"$WORK/phases.yaml"
cat >>"$WORK/phases.yaml" <<-'END'
	phases:
	  - {name: warm-up, role: warmup, duration: 700ms}
	  - {name: calm, role: measured, duration: 1s}
	  - {name: storm, role: measured, duration: 1500ms}
	  - {name: cool-down, role: cooldown, duration: 200ms}
END
two_phases=(--scenario "$WORK/phases.yaml" --rounds 1)

# known NAME: of each phase all is known, over its own length.
known() {
	holds "$1/names" '[.rounds[0].phases[].name] == ["calm", "storm"]'
	holds "$1/one-after-the-other" '[.rounds[].phases | (.[0].started_at | fabs) < 0.05 and
		(.[0].duration_seconds - 1 | fabs) < 0.1 and (.[1].duration_seconds - 1.5 | fabs) < 0.1 and
		(.[0].duration_seconds - .[1].started_at | fabs) < 0.01] | all'
	# Of a short phase the kernel's ticks can have seen nothing.
	holds "$1/cpu" '[.rounds[].phases[].cpu | .utilization >= 0 and .utilization <= 1 and .saturation >= 0 and
		.errors == null] | all'
	holds "$1/run-queue" '[.rounds[].phases[].run_queue | .utilization > 0 and .utilization <= 1 and
		(.utilization + .saturation - 1 | fabs) < 1e-6 and .errors == null] | all'
	holds "$1/memory-and-network" '[.rounds[].phases[] | .memory.utilization > 0 and .memory.errors == 0 and
		.network.saturation >= 0 and .network.errors >= 0] | all'
	holds "$1/driver" '[.rounds[].phases[].driver | .utilization > 0 and .saturation >= 0 and .errors == 0] | all'
	holds "$1/driver-latest" '[.rounds[] | ([.phases[].driver.saturation] | max) == .driver.late_seconds_max] | all'
	# Each phase has its own part of the side's time.
	holds "$1/time" '[.rounds[] | (.phases[0].time.on_cpu_seconds > 0) and (.phases[1].time.on_cpu_seconds > 0) and
		(([.phases[].time.on_cpu_seconds] | add) / .time.on_cpu_seconds - 1 | fabs) < 0.05] | all'
}

# in_report NAME FILE PATTERN
in_report() { check "$1" "no $3 in: $(head -c 3000 "$2")" grep -qE "$3" "$2"; }

new_folder
LIMIT=60 perfbpf run -o "$DIR" "${two_phases[@]}" --target curl --vs curl
equal calm/exit "$RC" 0
if ((RC == 0)); then
	known calm
	for phase in calm storm; do
		in_report "calm/text-$phase" "$DIR/report.txt" "^$phase +CPUs +[0-9.]+ % "
		in_report "calm/markdown-$phase" "$DIR/report.md" "^\| $phase \| CPUs \| [0-9.]+ % "
		in_report "calm/limit-$phase" "$DIR/report.txt" "^A curl, phase $phase: "
	done
	for resource in CPUs 'run queue' memory network driver; do
		equal "calm/rows-of-${resource// /-}" "$(grep -cE "^\| [a-z]* \| $resource \|" "$DIR/report.md")" 2
	done
	in_report calm/errors "$DIR/report.md" '^\|  \| driver \| .* late \| 0 \| 0 \|$'
fi

# A driver that is kept from its work in the second phase falls behind there, and only there.
new_folder
start_perfbpf run -o "$DIR" "${two_phases[@]}" --debug --target curl
if wait_for 20 window_is_open; then
	sleep 1.3
	driver=$(pgrep -P "$(pgrep -P "$PID" | head -n 1)" -f 'drive --control-fd')
	kill -STOP "$driver" && sleep 0.4
	kill -CONT "$driver"
fi
wait_end 30
# It did not do its part: no result.
equal storm/exit "$RC" 96
if ((RC == 96)); then
	known storm
	between storm/late "$(value '.rounds[0].phases[1].driver.saturation')" 0.37 1 0
	between storm/not-late-before "$(value '.rounds[0].phases[0].driver.saturation')" 0 0.25 0
	holds storm/limited-by '.rounds[0].phases[1].limited_by == "driver" and .rounds[0].phases[0].limited_by != "driver"'
	in_report storm/sentence "$DIR/report.txt" \
		'^A curl, phase storm: the driver, not the side: it used [0-9]+ % of a core and fell [0-9]+ ms behind'
	in_report storm/row "$DIR/report.txt" '^ +driver .* [0-9]+ ms late +0$'
fi
