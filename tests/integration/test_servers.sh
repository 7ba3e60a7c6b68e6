#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nginx, redis and PostgreSQL under their own load generators: as many requests as those
# have counted, and as long as those saw them.
#
# What a load generator sees is longer than what happened at the server's socket: the answer
# has to get back, and the generator has to be woken, to get a CPU and to get to it. On the
# loopback of a virtual machine waking a CPU that sleeps alone takes 20 to 300 us, more than
# the request. That share is taken off by measuring where it begins: a second perfbpf looks
# at the generator and times its requests from their sending to the arrival of the answer in its
# socket (held against stamps of both ends in test_truth_requests.sh). So
#     the server's response <= what the generator says itself, and
#     the server's response is within 50 us or 10 % of that round trip.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/servers.sh"
need_bpf
kernel_has sock_send_length || skip_all 'this kernel tells nothing of sends and receives'
CONNECTIONS=2
LENGTH=${CHECK_QUICK:+2}
LENGTH=${LENGTH:-3}
LOAD=$WORK/load

# watch NAME PID COMMAND...: attaches before the load begins, and until after it has ended.
# COMMAND is measured itself; what it says is in LOAD, its result in CLIENT.
watch() {
	local name=$1
	new_folder
	CLIENT=$DIR.client
	start_perfbpf attach "$2" -o "$DIR" --debug
	shift 2
	if ! wait_for 15 window_is_open; then
		fail "$name" "the window did not open: $(error_line)"
		return 1
	fi
	printf '%q ' exec "$@" >"$WORK/load.sh"
	printf '>%q 2>&1\n' "$LOAD" >>"$WORK/load.sh"
	: >"$LOAD"
	PERFBPF_TEST_MARK=$MARK timeout -k 5 60 "$PERFBPF" run --quiet --rounds 1 -o "$CLIENT" \
		--target "bash $WORK/load.sh" </dev/null 3>&-
	sleep 0.2
	kill -INT "$PID"
	wait_end 15
	if [[ $(value '.rounds[0].exit_code' "$CLIENT/run.json") != 0 ]]; then
		fail "$name" "the load failed: $(tail -n 1 "$LOAD")"
		return 1
	fi
	[[ -s $DIR/run.json ]] && return
	fail "$name" "no run.json was written: $(error_line)"
	return 1
}

# counts NAME REQUESTS MORE: as many as the client has counted, and at most MORE that it has not.
counts() {
	between "$1/requests" "$(value '.rounds[0].requests.served')" "$2" $(($2 + $3)) 0
	equal "$1/left-over" "$(value '.rounds[0].requests | "\(.streams) \(.no_role)"')" '0 0'
	# On a Unix socket a reader on another CPU can be faster than the word that something came.
	between "$1/no-arrival" "$(value '.rounds[0].requests.no_arrival')" 0 \
		"$([[ $1 == *-unix ]] && echo $(($2 / 1000)) || echo 0)" 0
	# A generator ends without the answers to its last requests.
	between "$1/as-the-client's-socket" "$(value '.rounds[0].requests.sent' "$CLIENT/run.json")" \
		$(($(value '.rounds[0].requests.served') - CONNECTIONS)) \
		"$(value '.rounds[0].requests.served')" 0
	nothing_lost "$1"
}

# as_long NAME METRIC SECONDS: as the generator says, and as its socket has seen it.
as_long() {
	local own
	own=$(value ".rounds[0].latency.response.$2_seconds")
	between "$1/$2-below-the-client's" "$own" 0.000001 "$3" 0
	within "$1/$2" "$own" "$(value ".rounds[0].latency.round_trip.$2_seconds" "$CLIENT/run.json")" \
		10 0.00005
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
	PGHOST=$WORK/postgres run_pgbench pgbench-select-unix 1 -S
}

with_nginx
with_redis
with_postgres
