#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a scenario has running beside its target: components in their order, each set up, ready, as its
# user, within its limits; hooks around the round; ports and folders that are handed out; and the end
# of all of it.
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
wrong unknown-variable 2 "component 'side': unknown variable '\\\$\{port.sidd\}'; did you mean '\\\$\{port.side\}'" <<-END
	  - {name: side, command: [sleep, "\${port.sidd}"]}
END
wrong missing-program 2 "component 'side': 'no-such-program' is not on PATH" <<-END
	  - {name: side, command: [no-such-program]}
END
wrong two-ways 2 '[0-9]+:[0-9]+: key .*ready.*: says several ways' <<-END
	  - {name: side, command: [sleep, "1"], ready: {tcp: "127.0.0.1:1", line: x}}
END
check wrong/nothing-left 'something runs on' bash -c '! pgrep -fx "sleep 100"'
