#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Drivers that run programs: how often, how many at a time, what came of each. Any generator as a
# driver: its exit code, its output, its end. How long each ran as the kernel saw it is in
# test_truth_exec.sh.
# shellcheck disable=SC2016
# lane: shared
. "$(dirname "$0")/lib.sh"

# scenario NAME: the rest of $WORK/NAME.yaml, from standard input.
scenario() { cat >"$WORK/$1.yaml"; }

# drive NAME: its report as JSON in $WORK/report.
drive() {
	perfbpf drive "$WORK/$1.yaml"
	equal "$1/exit" "$RC" 0
	sed -n '/^{/,$p' "$OUT" >"$WORK/report"
}

report() { jq -r "$1" "$WORK/report"; }

# sleepers SECONDS: how many sleep for so long; each test has a length of its own.
sleepers() { pgrep -fc "^sleep $1\$" || true; }
none_sleep() { [[ $(sleepers "$1") == 0 ]]; }
three_sleep() { [[ $(sleepers "$1") == 3 ]]; }

# --- so many, so many at a time ---
scenario count <<E
driver: exec
exec:
  commands:
    - name: mark
      command: [sh, -c, 'echo "+ \${user} \${iteration}" >>$WORK/marks; sleep 0.05; echo - >>$WORK/marks']
phases:
  - {name: runs, role: measured, executor: per-vu-iterations, vus: 3, iterations: 7, duration: 30s}
E
drive count
equal count/runs "$(grep -c '^+' "$WORK/marks")" 21
equal count/told "$(report .work.operations)" 21
equal count/errors "$(report .work.errors)" 0
equal count/each-once "$(grep '^+' "$WORK/marks" | sort -u | wc -l)" 21
equal count/at-a-time "$(awk '/^\+/ { if (++n > max) max = n } /^-/ { n-- } END { print max }' "$WORK/marks")" 3
check count/no-shorter-than-they-are "$(report .latency.service.min_seconds)" \
	jq -e '.latency.service.min_seconds >= 0.05' "$WORK/report"

# --- what came of each ---
scenario kinds <<'E'
driver: exec
exec:
  timeout: 400ms
  commands:
    - {name: fails, command: [sh, -c, "echo why >&2; exit 3"]}
    - {name: dies, command: [sh, -c, "kill -9 $$$$"]}
    - {name: hangs, command: [sh, -c, "sleep 300.25 & sleep 300.25"]}
    - {name: says other, command: [echo, other], expect_output: "this"}
    - {name: as told, command: [sh, -c, "exit 5"], expect_exit: 5}
    - {name: reads, command: [cat], stdin: "user ${user} run ${iteration}\n", expect_output: "user ${user} run ${iteration}"}
    - {name: floods, command: [head, -c, "1000000", /dev/zero], expect_regex: "^ *$"}
    - {name: leaves behind, command: [sh, -c, "sleep 300.25 & exit 0"]}
phases:
  - {name: runs, role: measured, executor: per-vu-iterations, vus: 4, iterations: 20, duration: 30s}
E
drive kinds
equal kinds/sum "$(report '.work.operations + .work.errors')" 80
equal kinds/errors "$(report '.errors | keys | sort | join(",")')" 'exit 3,output,signal 9,timeout'
# All of an error's kind are of one command, and that command has no good run.
equal kinds/good "$(report '[.latency | to_entries[] | select(.key | startswith("response ")) |
	select(.value.count > 0) | .key] | sort | join(",")')" \
	'response as told,response floods,response leaves behind,response reads'
equal kinds/all-counted "$(report '[.errors[]] | add')" "$(report .work.errors)"
check kinds/first-words "$(report '.notes | join(" | ")')" \
	grep -q "'fails' first failed with 'exit 3'; it said: why" "$WORK/report"
check kinds/nothing-left "$(sleepers 300.25) are left" wait_for 3 none_sleep 300.25

# --- a driver that is killed leaves nothing ---
scenario killed <<'E'
driver: exec
exec: {timeout: 100s, commands: [{name: nap, command: [sleep, "300.5"]}]}
phases: [{name: runs, role: measured, executor: constant-vus, vus: 3, duration: 60s}]
E
start_perfbpf drive "$WORK/killed.yaml"
check killed/running "$(sleepers 300.5) of 3" wait_for 10 three_sleep 300.5
kill -KILL "$PID"
check killed/nothing-left "$(sleepers 300.5) are left" wait_for 5 none_sleep 300.5

# --- mistakes ---
scenario absent <<'E'
driver: exec
exec: {commands: [{name: none, command: [no-such-program-here]}]}
phases: [{name: runs, role: measured, executor: constant-vus, vus: 1, duration: 1s}]
E
perfbpf drive "$WORK/absent.yaml"
equal absent/exit "$RC" 2
check absent/named "$(error_line)" \
	grep -q "absent.yaml: exec: command 'none': there is no program 'no-such-program-here'" "$ERR"

# --- any generator ---
scenario generator <<'E'
driver: command
command:
  command: [sh, -c, "echo 'progress: 5 tps'; sleep 0.2; echo 'tps = 1181.5'; echo 'p99 8.5ms'; echo '42 requests'; exit 3"]
  expect_exit: 3
  metrics:
    - {name: rate, regex: "^progress: ([0-9.]+) tps", unit: ops}
    - {name: tps, regex: "^tps = ([0-9.]+)", unit: ops}
    - {name: wait, regex: "^p99 ([0-9.]+)", unit: ms}
    - {name: p99, regex: "^p99 ([0-9.a-z]+)", as: latency}
    - {name: done, regex: "^([0-9]+) requests", as: operations}
    - {name: failed, regex: "([0-9]+) failures", as: errors, optional: true}
phases: [{name: measured, role: measured, duration: 30s}]
E
drive generator
equal generator/numbers "$(report '.side_metrics | "\(.rate) \(.tps)"')" '5 1181.5'
within generator/unit "$(report .side_metrics.wait_seconds)" 0.0085 0.001
within generator/latency "$(report .latency.command.p99_seconds)" 0.0085 0.001
equal generator/work "$(report '"\(.work.operations) \(.work.errors)"')" '42 0'
equal generator/good "$(report '"\(.errors | length) \(.invalid | length)"')" '0 0'
check generator/output-is-passed-on 'not on standard error' grep -qx '42 requests' "$ERR"

scenario refuses <<'E'
driver: command
command: {command: [sh, -c, "echo cannot connect; exit 7"]}
phases: [{name: measured, role: measured, duration: 30s}]
E
drive refuses
equal refuses/invalid "$(report '.invalid[0]')" 'sh: exit 7; it last said: cannot connect'

# It does not end by itself, nor when it is asked to; neither does what it has started.
scenario stays <<'E'
driver: command
command: {command: [sh, -c, "trap '' TERM; sleep 300.75 & while :; do sleep 1; done"], timeout: 300ms}
phases: [{name: measured, role: measured, duration: 30s}]
E
drive stays
equal stays/told "$(report '.errors | keys[0]')" timeout
check stays/nothing-left "$(sleepers 300.75) are left" wait_for 3 none_sleep 300.75
