#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Faults in rounds: each kind is applied at its time, seen to take effect, felt by the load, and undone;
# one whose perfbpf was killed is undone by the next.
. "$(dirname "$0")/lib.sh"
need_bpf
need_command nginx

# scenario NAME FAULTS: 20 requests a second for four seconds, a fault from the second to the third.
scenario() {
	cat >"$WORK/$1.yaml" <<-END
		driver: http
		http:
		  url: http://127.0.0.1:\${port${3:-}}
		  timeout: 500ms
		  requests: [{name: page, path: /, expect: [200]}]
		phases:
		  - {name: before, role: measured, duration: 1s, executor: constant-arrival-rate, rate: 40, maxVUs: 50}
		  - {name: fault, role: measured, duration: 1500ms, executor: constant-arrival-rate, rate: 40, maxVUs: 50}
		  - {name: after, role: measured, duration: 1500ms, executor: constant-arrival-rate, rate: 40, maxVUs: 50}
		work_bound: 1
		rounds: 1
		${4:-}
		faults:
		  - $2
	END
}

# measure NAME: one run of it.
measure() {
	new_folder
	LIMIT=60 perfbpf run -o "$DIR" --target nginx --scenario "$WORK/$1.yaml" --profile none
	equal "$1/exit" "$RC" 0
	holds "$1/verified" '.rounds[0].faults | length == 1 and all(.verified and .undone and .error == null)'
	holds "$1/at-its-time" '.rounds[0].faults[0] | .applied_at > 0.95 and .applied_at < 1.6'
}

# ended NAME: the fault was over within its phase.
ended() {
	holds "$1/ended" '.rounds[0].faults[0] | .ended_at - .applied_at > 0.7 and .ended_at - .applied_at < 1.6'
}

# The worker is the one that answers: a process of the target's tree.
scenario stop '{name: frozen, kind: signal, signal: STOP, phase: fault, for: 800ms}'
measure stop
ended stop
holds stop/outage '.rounds[0].recovery[0].outage_seconds | . > 0.6 and . < 1.6'
holds stop/same-zero '.rounds[0] | .faults[0].applied_at - .recovery[0].at_seconds | fabs | . < 0.0005'
holds stop/errors-in-the-phase '[.rounds[0].phases[].load.errors] | .[0] == 0 and .[1] > 5'
holds stop/after '.rounds[0].phases[2].load.operations > 50'
check stop/in-report 'no fault in the report' grep -q '^ *1 *frozen *signal' "$DIR/report.txt"
