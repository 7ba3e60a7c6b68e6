# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The load driver http against nginx: how much it can ask for beside wrk, both with one thread
# and 16 connections on the same CPU and in turns, and whether what it reports of an open loop is what its
# requests took. Read by bench.sh, after server.sh. Also what a request costs each of them, which says
# more than throughput where others want the CPUs.
# shellcheck disable=SC2154

closed_scenario() {
	cat >"$work/closed.yaml" <<-'END'
		driver: http
		http:
		  url: http://127.0.0.1:${port}
		  requests: [{name: page, path: /, expect: [200]}]
		phases:
		  - {name: all, role: measured, executor: constant-vus, vus: 16, duration: 2s}
	END
}

# cpu_of COMMAND...: runs it with its output in $work/out; CPU_SECONDS is what it took.
cpu_of() {
	local user system TIMEFORMAT='%U %S'
	{ time timeout 30 "$@" >"$work/out" 2>"$work/err" </dev/null; } 2>"$work/time" || return
	read -r user system <"$work/time"
	CPU_SECONDS=$(number %.3f "$user + $system")
}

median() { sort -g | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }

# Each turn appends "OURS WRKS OUR_US WRKS_US" to $work/turns.
closed_turn() {
	local ours wrks our_us on=(taskset -c "$(($(nproc) - 1))")
	cpu_of "${on[@]}" "$perfbpf" drive "$work/closed.yaml" --set "port=$NGINX_PORT" || return
	ours=$(jq '.phases[0].operations_per_second' "$work/out")
	our_us=$(number %.3f "$CPU_SECONDS * 1e6 / $(jq .work.operations "$work/out")")
	cpu_of "${on[@]}" wrk -t 1 -c 16 -d 2s "http://127.0.0.1:$NGINX_PORT/" || return
	wrks=$(awk '/^Requests\/sec/ { print $2 }' "$work/out")
	echo "$ours $wrks $our_us $(awk -v s="$CPU_SECONDS" '/ requests in / { printf "%.3f", s * 1e6 / $1 }' \
		"$work/out")" >>"$work/turns"
}

closed_loop() {
	local i
	closed_scenario
	: >"$work/turns"
	for ((i = 0; i < turns; i++)); do
		closed_turn || return
	done
	row "http driver: closed loop, of wrk's requests/s" \
		"$(number %.2f "$(awk '{ print $1 / $2 }' "$work/turns" | median)")" '>= 0.7' \
		"wrk: $(number %.0f "$(cut -d ' ' -f 2 "$work/turns" | median)")/s, perfbpf: $(number %.0f \
			"$(cut -d ' ' -f 1 "$work/turns" | median)")/s"
	row 'http driver: CPU of a request' "$(number '%.1f us' "$(cut -d ' ' -f 3 "$work/turns" | median)")" '-' \
		"wrk: $(number '%.1f us' "$(cut -d ' ' -f 4 "$work/turns" | median)")"
}

# Half of what the closed loop reached.
open_loop() {
	local rate p50 raw50 p99 raw99 n late
	rate=$(number %.0f "$(cut -d ' ' -f 1 "$work/turns" | median) / 2")
	read -r p50 raw50 p99 raw99 n late < <(timeout 60 build/bench/open_loop "$NGINX_PORT" "$rate" 5 2>"$work/err") ||
		return
	row "http driver: open loop at $rate/s, p99 over reckoned p99" "$(number %.3f "$p99 / $raw99")" '0.9 to 1.1' \
		"reckoned from $n raw times: $(number '%.3f ms' "$raw99 * 1000")"
	row 'http driver: the same of the median' "$(number %.3f "$p50 / $raw50")" '0.9 to 1.1' \
		"reckoned: $(number '%.3f ms' "$raw50 * 1000"); sent at most $(number '%.1f ms' "$late * 1000") late"
}

load_driver() {
	local status
	if ! have nginx || ! have wrk; then
		row 'http driver' "skipped: no $(have nginx && echo wrk || echo nginx)" - -
		return 0
	fi
	start_nginx || { say "nginx: $(tail -n 1 "$work/nginx/log" "$work/err")"; return 1; }
	closed_loop && open_loop
	status=$?
	kill -TERM "$NGINX"
	wait "$NGINX" 2>/dev/null
	return "$status"
}
