#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Faults in rounds: each kind is applied at its time, seen to take effect, felt by the load, and undone;
# one whose perfbpf was killed is undone by the next.
# lane: single
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

scenario kill '{name: killed, kind: signal, signal: KILL, phase: fault, for: 800ms, restart: true}'
measure kill
ended kill
holds kill/outage '.rounds[0].recovery[0].outage_seconds | . > 0.6 and . < 1.8'
holds kill/refused '[.rounds[0].errors[] | select(.kind == "refused" or .kind == "reset") | .count] | add > 5'
holds kill/after '.rounds[0].phases[2].load.operations > 40'
holds kill/both-lives-are-counted '[.rounds[0].processes[] | select(.comm == "nginx")] | length > 2'

# What a fault has ended and started again is watched again.
scenario relived '{name: killed, kind: signal, signal: KILL, component: side, phase: before, at: 200ms, for: 300ms, restart: true}' '' \
	'components: [{name: side, command: [sh, -c, "test -e life && { sleep 1; exit 5; }; : >life; exec sleep 100"]}]'
new_folder
LIMIT=60 perfbpf run -o "$DIR" --target nginx --scenario "$WORK/relived.yaml" --profile none
equal relived/exit "$RC" 1
check relived/says "it says: $(error_line)" grep -q "component 'side', ended with exit code 5" "$ERR"

# One that lasts to the end of the last phase is over before what comes after that asks the target.
scenario last '{name: late, kind: signal, signal: STOP, phase: after, at: 700ms}' '' \
	'hooks: {conclude: [[bash, -c, "exec 3<>/dev/tcp/127.0.0.1/${port}; printf \"GET / HTTP/1.0\\r\\n\\r\\n\" >&3; read -t 2 -r line <&3"]]}'
new_folder
LIMIT=60 perfbpf run -o "$DIR" --target nginx --scenario "$WORK/last.yaml" --profile none
equal last/exit "$RC" 0
holds last/undone-at-the-end '.rounds[0].faults[0] | .undone and .ended_at > 3.9 and .ended_at < 4.4'

scenario delay '{name: slow, kind: proxy, proxy: way, effect: delay, delay: 120ms, phase: fault, for: 1s}' .way \
	"proxies: [{name: way, to: '127.0.0.1:\${port}'}]"
measure delay
ended delay
holds delay/felt '[.rounds[0].phases[].load.response.p50_seconds] | .[0] < 0.05 and .[1] > 0.1 and .[2] < 0.05'
holds delay/no-error '.rounds[0].work.errors == 0'

scenario reset '{name: cut, kind: proxy, proxy: way, effect: reset, phase: fault, for: 1s}' .way \
	"proxies: [{name: way, to: '127.0.0.1:\${port}'}]"
measure reset
holds reset/felt '[.rounds[0].phases[].load.errors] | .[0] == 0 and .[1] > 10'

scenario connections '{name: full, kind: connections, address: "127.0.0.1:${port}", count: 200, phase: fault, for: 1s}'
measure connections
ended connections
holds connections/accepted '.rounds[0].network.connections_accepted >= 200'

if command -v stress-ng >/dev/null; then
	scenario cpu '{name: busy, kind: cpu, workers: 2, phase: fault, for: 1s}'
	measure cpu
	ended cpu
	holds cpu/felt '.rounds[0].phases | .[1].cpu.utilization > 0.5'
	scenario memory '{name: tight, kind: memory, bytes: 128MiB, phase: fault, for: 1s}'
	measure memory
	check cpu/nothing-left 'stress-ng runs on' bash -c '! pgrep -x stress-ng'
else
	skip cpu 'there is no stress-ng on PATH'
fi

# A fault that could not take effect is no measurement: a target without that component is told before.
scenario nobody '{name: none, kind: signal, signal: KILL, component: nobody, phase: fault}'
new_folder
LIMIT=30 perfbpf run -o "$DIR" --target nginx --scenario "$WORK/nobody.yaml"
equal nobody/exit "$RC" 2
check nobody/says "it says: $(error_line)" grep -q "nobody" "$ERR"

# --- its keeper is killed while faults are applied ------------------------------------
cat >"$WORK/server.target.yaml" <<-END
	command: [/usr/bin/python3, -m, http.server, "\${port}", --bind, 127.0.0.1, --directory, "\${home}"]
	ready: {http: "http://127.0.0.1:\${port}/", timeout: 20s}
END
scenario orphaned '{name: frozen, kind: signal, signal: STOP, phase: before}' .way \
	"proxies: [{name: way, to: '127.0.0.1:\${port}'}]"
new_folder
"$PERFBPF" run -o "$DIR" --target "$WORK/server.target.yaml" --scenario "$WORK/orphaned.yaml" --profile none --duration 40s \
	>"$WORK/orphaned.out" 2>&1 &
victim=$!
started+=("$victim")
if wait_for 25 bash -c "grep -q '^[0-9a-f]\{8\} .*frozen' /run/perfbpf/faults-$victim-*.journal 2>/dev/null"; then
	kill -KILL "$(pgrep -xP "$victim" perfbpf-keeper)"
	SECONDS=0
	wait "$victim"
	equal orphaned/exit "$?" 1
	check orphaned/soon "perfbpf ended only after $SECONDS s" test "$SECONDS" -le 4
	check orphaned/says 'it says nothing of its keeper' grep -q "keeper process ended" "$WORK/orphaned.out"
	check orphaned/undone 'a journal is left' bash -c '! compgen -G "/run/perfbpf/faults-$1-*.journal"' - "$victim"
elif [[ ! -x /usr/bin/python3 ]]; then
	skip orphaned 'there is no /usr/bin/python3'
else
	fail orphaned/applied "no process was stopped: $(tail -n 1 "$WORK/orphaned.out")"
fi

# --- perfbpf is killed while a fault is applied ---------------------------------------
scenario cut '{name: frozen, kind: signal, signal: STOP, component: side, phase: fault}' '' \
	"components: [{name: side, command: [sleep, '$((RANDOM + 10000))']}]"
SIDE=$(sed -n "s/.*sleep, '\([0-9]*\)'.*/\1/p" "$WORK/cut.yaml")
# What perfbpf is killed with is ended by its keeper; one that attaches leaves what it did not start.
new_folder
# Under sudo, which the next start need not be.
SUDO_UID=$NOBODY SUDO_GID=$NOBODY "$PERFBPF" run -o "$DIR" --target nginx --scenario "$WORK/cut.yaml" --profile none --duration 40s \
	>"$WORK/cut.out" 2>&1 &
victim=$!
started+=("$victim")
if wait_for 25 bash -c "grep -q '^[0-9a-f]\{8\} .*frozen' /run/perfbpf/faults-$victim-*.journal 2>/dev/null && pgrep -fx 'sleep $SIDE' >/dev/null && grep -q '^State:.T' /proc/\$(pgrep -fx 'sleep $SIDE' | head -n 1)/status"; then
	ok cut/applied
	kill -KILL "$victim"
	wait_for 10 bash -c "! pgrep -fx 'sleep $SIDE'"
	equal cut/stopped-process-is-gone "$(pgrep -fxc "sleep $SIDE")" 0
	scenario again '{name: frozen, kind: signal, signal: STOP, phase: fault, for: 300ms}'
	measure again
	check cut/journal-is-gone 'a journal is left' bash -c '! compgen -G "/run/perfbpf/faults-$1-*.journal"' - "$victim"
else
	fail cut/applied "no process was stopped: $(tail -n 1 "$WORK/cut.out")"
fi
