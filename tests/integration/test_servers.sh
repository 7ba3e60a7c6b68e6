#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nginx, redis and PostgreSQL under their own load generators: as many requests as those
# sent, and as long as those saw them.
#
# What a client sees is longer than what happened at the server's socket: its send has to get
# there, the answer has to get back, and the client has to be woken and to get to it. That
# share of the loopback is measured beside it, with a server and a client that stamp what they
# say (tests/truth) at the same number of connections: what their client saw, less what
# their server's stamps say. perfbpf has no part in it. So with 50 us or 10 %, whichever is
# more, as the bound:     client - share - bound <= perfbpf <= client
# It works with few connections: a generator with many is its own queue, which is no share of
# the loopback's.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/servers.sh"
need_bpf
kernel_has sock_send_length || skip_all 'this kernel tells nothing of sends and receives'
READY=$WORK/ready
CONNECTIONS=2
QUICK=${CHECK_QUICK:+2}
LENGTH=${QUICK:-3}
LOAD=$WORK/load

# share KIND: SHARE is a filter that takes off the loopback's share, from .p50 and .p99.
share() {
	local options=()
	[[ $1 == tcp ]] || options=(--unix "$WORK/socket")
	rm -f "$READY"
	start_other "$TRUTH/server" --mode threads --threads 8 --ready "$READY" \
		--truth "$WORK/server.json" "${options[@]}"
	"$TRUTH/client" --ready "$READY" --rate 0 --connections $CONNECTIONS --duration 1 --stop \
		--truth "$WORK/client.json" "${options[@]}"
	wait "$OTHER" 2>/dev/null
	SHARE=$(jq -n --slurpfile s "$WORK/server.json" --slurpfile c "$WORK/client.json" -c '
		["p50", "p99", "mean"] | map({key: ., value: ($c[0].last_byte["\(.)_seconds"] -
			$s[0].response["\(.)_seconds"])}) | from_entries')
	echo "share of the loopback ($1): $SHARE" >&2
}

# watch NAME PID COMMAND...: attaches before the load begins, and until after it has ended.
watch() {
	local name=$1 status
	quiet=no
	machine_is_quiet && quiet=yes
	new_folder
	start_perfbpf attach "$2" -o "$DIR" --debug
	shift 2
	if ! wait_for 15 window_is_open; then
		fail "$name" "the window did not open: $(error_line)"
		return 1
	fi
	timeout -k 5 60 "$@" >"$LOAD" 2>&1 </dev/null 3>&-
	status=$?
	sleep 0.2
	kill -INT "$PID"
	wait_end 15
	if ((status != 0)); then
		fail "$name" "the load ended in $status: $(tail -n 1 "$LOAD")"
		return 1
	fi
	[[ -s $DIR/run.json ]] && return
	fail "$name" "no run.json was written: $(error_line)"
	return 1
}

# counts NAME REQUESTS MORE: as many as the client has counted, and at most MORE that it has not.
counts() {
	between "$1/requests" "$(value '.rounds[0].requests.served')" "$2" $(($2 + $3)) 0
	equal "$1/left-over" \
		"$(value '.rounds[0].requests | "\(.streams) \(.no_arrival) \(.no_role)"')" '0 0 0'
	nothing_lost "$1"
}

# as_long NAME METRIC SECONDS: as the client saw it, less the loopback's share.
as_long() {
	local name=$1/response-$2
	if [[ $quiet != yes ]]; then
		skip "$name" 'others keep this machine busy, and the client waits for a CPU'
		return
	fi
	between "$name" "$(value ".rounds[0].latency.response.$2_seconds")" \
		"$(jq -n --argjson s "$SHARE" --argjson c "$3" "[\$c * 0.9, \$c - 5e-5] | min - \$s.$2")" \
		"$3" 0
}

with_nginx() {
	cat >"$WORK/wrk.lua" <<-'END'
		done = function(summary, latency, requests)
			io.write(string.format("requests %d errors %d p50 %.7f p99 %.7f\n", summary.requests,
				summary.errors.status + summary.errors.read + summary.errors.write +
				summary.errors.timeout, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
		end
	END
	if ! have wrk || ! start_nginx; then
		skip nginx "$MISSING"
		return
	fi
	watch nginx "$NGINX" wrk -t 1 -c $CONNECTIONS -d "${LENGTH}s" -s "$WORK/wrk.lua" \
		"http://127.0.0.1:$NGINX_PORT/file.html" || return
	read -r _ requests _ errors _ p50 _ p99 < <(grep '^requests ' "$LOAD")
	equal nginx/errors "$errors" 0
	counts nginx "$requests" $CONNECTIONS
	as_long nginx p50 "$p50"
	as_long nginx p99 "$p99"
	holds nginx/processes '[.rounds[0].processes[] | select(.comm == "nginx")] | length == 2'
}

# redis_benchmark NAME REQUESTS COMMAND...
redis_benchmark() {
	local name=$1 requests=$2
	shift 2
	watch "$name" "$REDIS" redis-benchmark -p "$REDIS_PORT" -c $CONNECTIONS -n "$requests" --csv "$@" ||
		return
	# It asks for two pieces of configuration before it begins.
	counts "$name" "$requests" $((CONNECTIONS + 2))
	# "test","rps","avg","min","p50","p95","p99","max", in milliseconds; a test's name has commas
	read -r p50 p99 < <(awk -F, 'END { gsub("\"", ""); print $(NF - 3), $(NF - 1) }' "$LOAD")
	as_long "$name" p50 "$(jq -n "$p50 / 1e3")"
	as_long "$name" p99 "$(jq -n "$p99 / 1e3")"
}

with_redis() {
	start_redis || { skip redis "$MISSING"; return; }
	redis_benchmark redis 30000 -t get
	# About a millisecond on the CPU each.
	redis_benchmark redis-slow 1500 eval 'local s = 0 for i = 1, 100000 do s = s + i end return s' 0
}

# run_pgbench NAME REQUESTS-A-TRANSACTION OPTION...
run_pgbench() {
	local name=$1 each=$2 transactions
	shift 2
	watch "$name" "$POSTGRES" pgbench -n -c $CONNECTIONS -T "$LENGTH" --log \
		--log-prefix="$WORK/$name" "$@" || return
	transactions=$(awk '/number of transactions actually processed/ { print int($6) }' "$LOAD")
	# Of each connection its start; of the first one questions about the tables; and what was on
	# its way at the end.
	counts "$name" $((transactions * each)) $((CONNECTIONS * (each + 1) + 8))
	sort -n -k 3,3 "$WORK/$name".[0-9]* | awk '{ v[NR] = $3; s += $3 } END {
		printf "%.7f %.7f %.7f\n", v[int(NR / 2 + 0.5)] / 1e6, v[int(NR * 0.99 + 1)] / 1e6, s / NR / 1e6
	}' >"$WORK/$name.times"
	if ((each == 1)); then
		read -r p50 p99 _ <"$WORK/$name.times"
		as_long "$name" p50 "$p50"
		as_long "$name" p99 "$p99"
	else
		read -r _ _ mean <"$WORK/$name.times"
		as_long "$name" mean "$(jq -n "$mean / $each")"
	fi
}

with_postgres() {
	start_postgres || { skip postgres "$MISSING"; return; }
	pgbench -i -q >"$LOAD" 2>&1 || { fail postgres "pgbench -i: $(tail -n 1 "$LOAD")"; return; }
	run_pgbench pgbench-select 1 -S
	run_pgbench pgbench 7
	share unix
	PGHOST=$WORK/postgres run_pgbench pgbench-select-unix 1 -S
}

share tcp
with_nginx
with_redis
with_postgres
