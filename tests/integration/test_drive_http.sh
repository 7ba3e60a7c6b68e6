#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `perfbpf drive` with the driver http, against a server that keeps when it answered: how many
# requests there were, from when their times count, what a slow driver says of itself.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

# serve ARGUMENT...: starts the server; PORT, SERVER and what it found ($WORK/truth) are its.
serve() {
	rm -f "$WORK/ready" "$WORK/truth"
	start_other "$TRUTH/http_server" --truth "$WORK/truth" --ready "$WORK/ready" "$@"
	SERVER=$OTHER
	wait_for 5 test -s "$WORK/ready" || { fail "serve $*" 'it does not listen'; return 1; }
	read -r _ PORT <"$WORK/ready"
}

end_server() {
	kill -TERM "$SERVER"
	wait "$SERVER" 2>/dev/null
}

# scenario PHASE...: writes $WORK/s.yaml.
scenario() {
	{
		printf 'driver: http\nhttp:\n  url: http://127.0.0.1:${port}\n'
		printf '  requests: [{name: page, path: "/${iteration}", expect_body: hello}]\nphases:\n'
		printf -- '  - %s\n' "$@"
	} >"$WORK/s.yaml"
}

# drive NAME ARGUMENT...: runs the scenario to its end.
drive() {
	local name=$1
	shift
	LIMIT=30 perfbpf drive "$WORK/s.yaml" --set "port=$PORT" "$@"
	((RC == 0)) && jq -e .work "$OUT" >/dev/null && return
	fail "$name" "exit $RC: $(error_line)"
	return 1
}

report() { value "$1" "$OUT"; }
truth() { value "$1" "$WORK/truth"; }

all_work_is_done() {
	serve || return
	scenario '{name: warm, role: warmup, executor: constant-arrival-rate, rate: 200, duration: 500ms}' \
		'{name: even, role: measured, executor: constant-arrival-rate, rate: 1k, duration: 1s}' \
		'{name: ramp, role: measured, executor: ramping-arrival-rate, startRate: 0, stages: [{duration: 1s, target: 1k}]}' \
		'{name: each, role: measured, executor: per-vu-iterations, vus: 7, iterations: 50, duration: 10s}'
	drive work || return
	end_server
	equal work/phases "$(report '[.phases[].operations] | join(" ")')" '100 1000 500 350'
	equal work/all "$(report '.work.operations')" 1950
	equal work/errors "$(report '.work.errors + .work.dropped')" 0
	equal work/server-saw-them-all "$(truth .requests)" 1950
	equal work/statuses "$(report '.work.counts | to_entries | map("\(.key) \(.value)") | join(", ")')" 'status 200 1950'
	equal work/ends-early "$(report '.phases[3].seconds < 5')" true
}

# A server that is silent for half a second, asked 1,000 times a second: what was due meanwhile has
# waited. Users who ask one after the other see four slow answers of thousands.
stalls() {
	serve --stall-at 1 --stall 500 --rate 1000 || return
	scenario '{name: even, role: measured, executor: constant-arrival-rate, rate: 1k, duration: 3s, maxVUs: 800}'
	drive open || return
	end_server
	equal open/operations "$(report '.work.operations')" 3000
	within open/p99-is-the-server-s "$(report '.latency.response.p99_seconds')" "$(truth .response_p99_seconds)" 10
	within open/longest "$(report '.latency.response.max_seconds')" "$(truth .response_max_seconds)" 10
	check open/p99-shows-it "$(report '.latency.response.p99_seconds')" jq -e '.latency.response.p99_seconds > 0.4' "$OUT"

	serve --stall-at 1 --stall 500 || return
	scenario '{name: four, role: measured, executor: constant-vus, vus: 4, duration: 3s}'
	drive closed || return
	end_server
	check closed/omits-it "$(report '.latency.response | tostring' | head -c 200)" \
		jq -e '.latency.response | .p99_seconds < 0.1 and .max_seconds > 0.45 and .count > 2000' "$OUT"
}

# The driver is stopped for 400 ms: it says so, and all that was due is sent.
is_late() {
	serve || return
	scenario '{name: even, role: measured, executor: constant-arrival-rate, rate: 500, duration: 2s, maxVUs: 400}'
	start_perfbpf drive "$WORK/s.yaml" --set "port=$PORT"
	sleep 0.7
	kill -STOP "$PID"
	sleep 0.4
	kill -CONT "$PID"
	wait_end 20
	end_server
	equal late/exit "$RC" 0
	equal late/operations "$(report '.work.operations')" 1000
	check late/is-told "$(report '.late_seconds_max')" jq -e '.late_seconds_max > 0.3' "$OUT"
	check late/is-in-the-response "$(report '.latency.response.max_seconds')" \
		jq -e '.latency.response.max_seconds > 0.3' "$OUT"
}

# driver_pid: of the driver that a conductor has started for the scenario.
driver_pid() {
	local found
	found=$(grep -lzxe --control-fd /proc/[0-9]*/cmdline 2>/dev/null | xargs -r grep -lzxF "$WORK/s.yaml")
	[[ -n $found ]] && cut -d/ -f3 <<<"$found" | head -n 1
}

# A driver that was kept from sending, and more work than there are users for: neither run is a
# measurement of the server.
invalid_runs() {
	local driver
	if ! ((EUID == 0)) || ! has_capability 39 || ! command -v nginx >/dev/null; then
		skip saturated 'needs root, BPF and nginx'
		return
	fi
	cat >"$WORK/s.yaml" <<-'END'
		driver: http
		http: {url: "http://127.0.0.1:${port}", requests: [{name: page}]}
		phases: [{name: all, role: measured, executor: constant-arrival-rate, rate: 500, duration: 3s, maxVUs: 800}]
	END
	new_folder
	start_perfbpf run --debug --rounds 1 -o "$DIR" --target nginx --scenario "$WORK/s.yaml"
	if wait_for 20 window_is_open && driver=$(driver_pid); then
		kill -STOP "$driver"
		sleep 0.6
		kill -CONT "$driver"
	else
		fail saturated/driver 'it was not found'
	fi
	wait_end 30
	equal saturated/exit "$RC" 96
	holds saturated/why '.rounds[0].validity.reasons | tostring | test("the driver was saturated: it sent a request [0-9]+ ms late")'
	holds saturated/all-is-sent '.rounds[0].work | .operations == 1500 and .dropped == 0'

	sed -i 's/rate: 500, duration: 3s, maxVUs: 800/rate: 1M, duration: 1s, maxVUs: 4/' "$WORK/s.yaml"
	new_folder
	perfbpf run --quiet --rounds 1 -o "$DIR" --target nginx --scenario "$WORK/s.yaml"
	equal dropped/exit "$RC" 96
	holds dropped/why '.rounds[0].validity.reasons | tostring | test("were never sent")'
	holds dropped/none-is-forgotten '.rounds[0].work | .operations + .dropped == 1000000'
}

what_is_wrong_is_said() {
	scenario '{name: bare, role: measured, duration: 1s}'
	perfbpf drive "$WORK/s.yaml" --set port=1
	equal bare/exit "$RC" 2
	check bare/names-the-phase "$(error_line)" grep -q "'bare'.*executor" "$ERR"
	scenario '{name: even, role: measured, executor: constant-arrival-rate, rate: 50, duration: 500ms}'
	PORT=$(free_port)
	drive refused || return
	equal refused/all "$(report '.errors.refused')" 25
	equal refused/none-good "$(report '.work.operations')" 0
	perfbpf drive "$WORK/s.yaml"
	equal port/exit "$RC" 2
	check port/is-asked-for "$(error_line)" grep -q 'port' "$ERR"
}

all_work_is_done
stalls
is_late
what_is_wrong_is_said
invalid_runs
