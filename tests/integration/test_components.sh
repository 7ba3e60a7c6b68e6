#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a scenario has running beside its target: components in their order, each set up, ready, as its
# user, within its limits; hooks around the round; ports and folders that are handed out; and the end
# of all of it.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf
PYTHON=/usr/bin/python3
[[ -x $PYTHON ]] || skip_all "there is no $PYTHON"

# target NAME < YAML, scenario NAME < YAML: files for the runs below.
target() { cat >"$WORK/$1.target.yaml"; }
scenario() { cat >"$WORK/$1.yaml"; }

# A server of files, and users that ask for one of them.
serve() {
	cat <<-END
		command: [$PYTHON, -m, http.server, "\${port}", --bind, 127.0.0.1, --directory, "\${home}"]
		files: [{path: page, text: "port \${port} beside \${port.side}\n"}]
		ready: {http: "http://127.0.0.1:\${port}/page", timeout: 20s}
	END
}

ask() {
	cat <<-END
		driver: http
		http:
		  url: http://127.0.0.1:\${port}
		  requests: [{name: page, path: /page, expect: [200]}]
		phases:
		  - {name: measured, role: measured, duration: 1s, executor: constant-arrival-rate, rate: 50, maxVUs: 4}
		rounds: 1
	END
}

# measure NAME [ARGUMENT...]: one run of both.
measure() {
	local name=$1
	shift
	new_folder
	LIMIT=60 perfbpf run -o "$DIR" --target "$WORK/$name.target.yaml" --scenario "$WORK/$name.yaml" \
		--profile none "$@"
}

# groups: control groups, at whatever depth, of perfbpfs that are gone.
groups() {
	local path pid
	find /sys/fs/cgroup -type d -name 'perfbpf-*' 2>/dev/null | while read -r path; do
		pid=${path##*/perfbpf-}
		[[ -e /proc/${pid%%-*} ]] || printf '%s\n' "$path"
	done | sort
}
GROUPS_BEFORE=$(groups)

# --- all in their order -------------------------------------------------------------
{
	ask
	cat <<-END
		components:
		  - name: side
		    command: [sh, -c, "echo begun as \$\$(id -un) in \$\$PWD; echo port \${port.side} \${port2.side}; exec sleep 100"]
		    ready: {line: '^port [0-9]+ [0-9]+\$', timeout: 10s}
		    setup: [[sh, -c, "echo first >file"], [sh, -c, "echo second >>file; cat file conf/given"]]
		    files: [{path: conf/given, text: "given to \${dir.side}\n"}]
		    environment: {NOTE: "of \${port.side}"}
		    user: nobody
		  - name: measured_one
		    command: [sh, -c, "exec sleep 100"]
		    measured: true
		  - name: after
		    command: [sh, -c, "echo after; exec sleep 100"]
		    ready: {command: [sh, -c, "test -e \${dir.after}/asked || { : >\${dir.after}/asked; exit 1; }"]}
		hooks:
		  setup: [[sh, -c, "echo setup of \${port}"]]
		  prepare: [[sh, -c, "echo prepare"], [curl, -sf, "http://127.0.0.1:\${port}/page"]]
		  conclude: [[sh, -c, "echo conclude"], [curl, -sf, "http://127.0.0.1:\${port}/page"]]
		  cleanup: [[sh, -c, "echo cleanup"]]
	END
} | scenario order
serve | target order
if command -v curl >/dev/null; then
	measure order
	equal order/exit "$RC" 0
	holds order/valid '.rounds[0].validity.valid'
	equal order/asked "$(value '.rounds[0].work.operations')" 50
	equal order/hooks "$(grep -o '^[a-z]*' "$DIR/logs/pair0-A.hooks.log" | paste -sd ' ')" \
		'setup prepare port conclude port cleanup'
	equal order/setup "$(head -n 2 "$DIR/logs/pair0-A.side.log" | paste -sd ' ')" 'first second'
	check order/files 'its file was not there' grep -q '^given to /.*/side$' "$DIR/logs/pair0-A.side.log"
	check order/user 'it ran as somebody else' grep -q '^begun as nobody in /.*/side$' "$DIR/logs/pair0-A.side.log"
	check order/same-port 'the target was told another port' \
		grep -q "beside $(sed -n 's/^port \([0-9]*\) .*/\1/p' "$DIR/logs/pair0-A.side.log")" "$DIR/logs/pair0-A.hooks.log"
	# The one that is measured is a process of the side; the others are not.
	equal order/measured "$(value '[.rounds[0].processes[] | select(.comm == "sleep")] | length')" 1
	equal order/target "$(value '[.rounds[0].processes[] | select(.comm | startswith("python"))] | length')" 1
	check order/nothing-left 'a component runs on' bash -c '! pgrep -fx "sleep 100"'
else
	skip order 'there is no curl on PATH'
fi

# --- limits and CPUs ----------------------------------------------------------------
{
	ask
	cat <<-END
		components:
		  - name: side
		    command: [sh, -c, "while :; do :; done"]
		    measured: true
		    limits: {cpus: 0.2}
		    cpus: "0"
		target_limits: {memory: 256MiB}
		target_cpus: "0"
		driver_cpus: "0"
	END
} | scenario limits
serve | target limits
measure limits
if ((RC == 3)) && grep -q 'control group' "$ERR"; then
	skip limits "$(error_line)"
else
	equal limits/exit "$RC" 0
	# A fifth of a CPU; the kernel lets it run on for a slice of its period.
	holds limits/cpu '[.rounds[0].processes[] | select(.comm == "sh") | .cpu_seconds][0] | . > 0.1 and . < 0.3'
	equal limits/groups-gone "$(comm -13 <(printf '%s\n' "$GROUPS_BEFORE") <(groups))" ''
	# One that is not measured lives on while its side ends.
	sed -i 's/^ *measured: true$//' "$WORK/limits.yaml"
	measure limits --duration 300ms
	equal limits/beside-exit "$RC" 0
	equal limits/beside-groups-gone "$(comm -13 <(printf '%s\n' "$GROUPS_BEFORE") <(groups))" ''
fi

# --- what goes wrong is told --------------------------------------------------------
# wrong NAME EXIT /WORDS/ < COMPONENT: a run that fails so.
wrong() {
	{ ask; printf 'components:\n'; cat; } | scenario "$1"
	serve | sed 's/ beside .*port.side.*$/\\n"}]/' | target "$1"
	measure "$1"
	equal "$1/exit" "$RC" "$2"
	check "$1/says" "it says: $(error_line)" grep -qE "$3" "$ERR"
	check "$1/one-line" 'more than the error is said' test "$(grep -c . "$ERR")" -le 3
}

wrong ends 1 "component 'side' ended with exit code 3 .*before it was ready.* it last said: no good" <<-END
	  - {name: side, command: [sh, -c, "echo no good; exit 3"], ready: {tcp: "127.0.0.1:\${port.side}"}}
END
wrong late 1 "component 'side' was not ready within 300ms .*give it longer with ready.timeout" <<-END
	  - {name: side, command: [sleep, "100"], ready: {tcp: "127.0.0.1:\${port.side}", timeout: 300ms}}
END
wrong setup 1 "component 'side', setup: 'sh' ended with exit code 7" <<-END
	  - {name: side, command: [sleep, "100"], setup: [[sh, -c, "exit 7"]]}
END
wrong dies 1 "component 'side', ended by signal 9 after" <<-END
	  - {name: side, command: [sh, -c, "sleep 0.7; kill -9 \$\$\$\$"]}
END
# The end of the first is not forgotten over what is started for the second, nor over a hook.
wrong dies-meanwhile 1 "component 'side', ended with exit code 3 .*while the round was being prepared" <<-END
	  - {name: side, command: [sh, -c, "sleep 0.3; exit 3"]}
	  - {name: other, command: [sleep, "100"], ready: {command: ["false"], timeout: 20s}}
END
wrong dies-in-hook 1 "component 'side', ended with exit code 3 .*while the round was being prepared" <<-END
	  - {name: side, command: [sh, -c, "sleep 0.3; exit 3"]}
	hooks: {prepare: [[sleep, "20"]]}
END
wrong unknown-user 2 "component 'side', user: there is no user 'nobody-at-all'" <<-END
	  - {name: side, command: [sleep, "100"], user: nobody-at-all}
END
wrong unknown-variable 2 "key 'components.0..command.1.': unknown variable '\\\$\{port.sidd\}'; did you mean '\\\$\{port.side\}'" <<-END
	  - {name: side, command: [sleep, "\${port.sidd}"]}
END
wrong missing-program 2 "component 'side': 'no-such-program' is not on PATH" <<-END
	  - {name: side, command: [no-such-program]}
END
wrong two-ways 2 '[0-9]+:[0-9]+: key .*ready.*: says several ways' <<-END
	  - {name: side, command: [sleep, "1"], ready: {tcp: "127.0.0.1:1", line: x}}
END
check wrong/nothing-left 'something runs on' bash -c '! pgrep -fx "sleep 100"'

# Nothing that a component has started outlives it, whether it is in its tree or has left it.
{
	ask
	cat <<-END
		components:
		  - name: side
		    command: [sh, -c, "(setsid sleep $((9000000 + $$)) &) ; sleep $((9000000 + $$)) & sleep $((9000000 + $$))"]
		hooks:
		  cleanup: [[sh, -c, "pgrep -fx 'sleep $((9000000 + $$))' && echo runs on; :"]]
	END
} | scenario tree
serve | sed 's/ beside .*port.side.*$/\\n"}]/' | target tree
measure tree --duration 300ms
equal tree/exit "$RC" 0
check tree/none-in-cleanup 'processes run on beside the cleanup' \
	bash -c '! grep -q "runs on" "$1"' - "$DIR/logs/pair0-A.hooks.log"
check tree/none-after 'processes run on' bash -c '! pgrep -fx "sleep $1"' - "$((9000000 + $$))"

# Who would be meant by its name?
{ ask; echo 'components: [{name: side, command: [sleep, "100"]}]'; } | scenario twice
{ serve; echo 'components: [{name: side, command: [sleep, "100"]}]'; } | target twice
measure twice
equal twice/exit "$RC" 2
check twice/says "it says: $(error_line)" grep -q "twice.yaml and .*twice.target.yaml both have a component 'side'" "$ERR"

# A check of what the load has left can fail the round; the cleanup comes all the same.
{
	ask
	cat <<-END
		components: [{name: side, command: [sleep, "100"]}]
		hooks:
		  conclude: [[sh, -c, "echo not clean; exit 4"]]
		  cleanup: [[sh, -c, "echo cleanup"]]
	END
} | scenario conclude
serve | target conclude
measure conclude
equal conclude/exit "$RC" 1
check conclude/says "it says: $(error_line)" grep -q "hook conclude: 'sh' ended with exit code 4: it last said: not clean" "$ERR"
check conclude/cleanup 'nothing was cleaned up' grep -qx cleanup "$DIR/logs/pair0-A.hooks.log"
holds conclude/kept '.rounds[0].work.operations == 50 and (.rounds[0].validity.valid | not)'
holds conclude/failed '(.complete | not) and (.notes | any(startswith("the run failed: hook conclude")))'

# --- somebody else at the address ---------------------------------------------------
"$PYTHON" -m http.server 0 --bind 127.0.0.1 --directory "$WORK" >"$WORK/other.log" 2>&1 &
started+=("$!")
wait_for 10 grep -q 'port [0-9]' "$WORK/other.log"
OTHER=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$WORK/other.log" | head -n 1)
echo there >"$WORK/page"
ask | sed "s/\${port}/$OTHER/" | scenario foreign
target foreign <<-END
	command: [sleep, "100"]
	ready: {tcp: "127.0.0.1:$OTHER"}
END
measure foreign
equal foreign/exit "$RC" 1
check foreign/says "it says: $(error_line)" grep -q "somebody else answers at 127.0.0.1:$OTHER already" "$ERR"
target foreign <<<'command: [sleep, "100"]'
measure foreign
equal foreign/not-asked/exit "$RC" 96
holds foreign/not-asked/why '.rounds[0].validity.reasons | any(test("somebody else answered"))'

# --- Ctrl-C while a hook runs is the end that was asked for --------------------------
{
	ask
	cat <<-END
		hooks:
		  prepare: [[sleep, "100"]]
		  cleanup: [[sh, -c, "echo cleanup"]]
	END
} | scenario interrupted
serve | sed 's/ beside .*port.side.*$/\\n"}]/' | target interrupted
new_folder
"$PERFBPF" run -o "$DIR" --target "$WORK/interrupted.target.yaml" --scenario "$WORK/interrupted.yaml" \
	--profile none >"$OUT" 2>"$ERR" &
victim=$!
started+=("$victim")
wait_for 15 pgrep -fx 'sleep 100' >/dev/null
kill -INT "$victim"
wait "$victim"
equal interrupted/exit "$?" 130
check interrupted/cleanup 'nothing was cleaned up' grep -qx cleanup "$DIR/logs/pair0-A.hooks.log"
