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
