#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# For how long the commands of a driver ran, as the kernel saw it, against what they were told to.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"
need_bpf
looks_not_at requests

# scenario NAME: the rest of $WORK/NAME.yaml, from standard input.
scenario() { cat >"$WORK/$1.yaml"; }

printf 'command: [sleep, "1000"]\n' >"$WORK/idle.yaml"

scenario naps <<E
driver: exec
exec:
  commands:
    - {name: nap, command: [sleep, "0.1"]}
    - {name: by others, command: [sh, -c, "sleep 0.05; sleep 0.05"]}
    - {name: in its place, command: [env, sh, -c, "exec sleep 0.1"]}
phases:
  - {name: runs, role: measured, executor: per-vu-iterations, vus: 2, iterations: $(scaled 15 5), duration: 30s}
E
if measure naps --target "$WORK/idle.yaml" --scenario "$WORK/naps.yaml"; then
	equal naps/all "$(value '.rounds[0].latency.exec.count')" "$(scaled 30 10)"
	equal naps/as-many-as-the-driver "$(value '.rounds[0].work.operations')" "$(scaled 30 10)"
	holds naps/not-shorter '.rounds[0].latency.exec.min_seconds >= 0.1'
	# From exec to exit is less than from before the start until the driver has seen the end.
	holds naps/within-the-drivers '.rounds[0].latency | .exec.mean_seconds < .service.mean_seconds'
	if machine_is_quiet; then
		within naps/median "$(value '.rounds[0].latency.exec.p50_seconds')" 0.1 10
	else
		skip naps/median 'others want the CPUs'
	fi
	nothing_lost naps
fi

# For an emulated machine, where each run takes long, that is enough.
[[ -z ${PERFBPF_TEST_EMULATED:-} ]] || exit 0
# Those of the warm-up are not in it; what they burn is no cost of the side's.
scenario burns <<'E'
driver: exec
exec: {commands: [{name: burn, command: [sh, -c, "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done"]}]}
phases:
  - {name: warm-up, role: warmup, executor: constant-vus, vus: 1, duration: 1s}
  - {name: runs, role: measured, executor: constant-vus, vus: 1, duration: 1s}
E
if measure burns --target "$WORK/idle.yaml" --scenario "$WORK/burns.yaml"; then
	equal burns/as-many-as-the-driver "$(value '.rounds[0].latency.exec.count')" \
		"$(value '.rounds[0].work.operations')"
	holds burns/side-is-idle '.rounds[0].cpu.total_seconds < 0.01'
	equal burns/side-is-one-process "$(value '.rounds[0].processes | length')" 1
fi
