#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --protocols: what was asked, how often, and what failed, of real servers and of a client.
# lane: shared
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/servers.sh"
need_bpf
kernel_has sock_send_length || skip_all 'this kernel tells nothing of sends and receives'

# watch NAME PID PROTOCOLS: LOAD() runs while perfbpf is attached.
watch() {
	new_folder
	start_perfbpf attach "$2" --protocols "$3" -o "$DIR" --debug
	if ! wait_for 15 window_is_open; then
		fail "$1" "the window did not open: $(error_line)"
		return 1
	fi
	load >"$WORK/load" 2>&1 </dev/null 3>&-
	sleep 0.2
	kill -INT "$PID"
	wait_end 15
	[[ -s $DIR/run.json ]] && return
	fail "$1" "no run.json was written: $(error_line)"
	return 1
}

# asked NAME PROTOCOL LABEL COUNT ERRORS [ROLE]
asked() {
	equal "$1/$3" "$(jq -r --arg protocol "$2" --arg what "$3" --arg role "${6:-server}" '
		.rounds[0].protocols | map(select(.protocol == $protocol and .label == $what and
			.role == $role)) | "\(map(.count) | add) \(map(.errors) | add)"' "$DIR/run.json")" "$4 $5"
}

# times NAME: each request has its times.
times() {
	holds "$1/times" '.rounds[0].protocols | length > 0 and all(.response.count == .count and
		.response.p50_seconds > 0 and (.role == "client" or .service.count == .count))'
	equal "$1/most-first" "$(value '.rounds[0].protocols | [.[].count] | . == (sort | reverse)')" true
	equal "$1/unparsed" "$(value '.rounds[0].requests.unparsed')" 0
	nothing_lost "$1"
}

with_nginx() {
	local url
	if ! have curl || ! start_nginx; then
		skip http "$MISSING"
		return
	fi
	url=http://127.0.0.1:$NGINX_PORT
	load() {
		curl -s "$url/file.html?n=[1-50]"
		curl -s "$url/users/[1-30]"
		curl -s "$url/missing[1-7]" "$url/broken/now"
		curl -s -I "$url/file.html"
		curl -s -d 'a=b' "$url/users/7"
	}
	if watch http "$NGINX" http; then
		asked http http 'GET /file.html' 50 0
		asked http http 'GET /users/:id' 30 0
		asked http http 'GET /broken/now' 1 1
		asked http http 'HEAD /file.html' 1 0
		asked http http 'POST /users/:id' 1 0
		equal http/all "$(value '[.rounds[0].protocols[].count] | add')" 90
		equal http/errors "$(value '[.rounds[0].protocols[].errors] | add')" 8
		equal http/served "$(value '.rounds[0].requests.served')" 90
		times http
	fi
	# Without TLS, by curl's knowledge that the server can; each on a connection of its own, since some
	# versions of curl (7.88) fail at the second request of one.
	if curl --version | grep -qw HTTP2; then
		load() {
			local url=http://127.0.0.1:$HTTP2_PORT h2='curl -s --http2-prior-knowledge -o /dev/null'
			for _ in {1..12}; do
				$h2 "$url/file.html?n=1"
			done
			for _ in {1..4}; do
				$h2 "$url/users/17"
			done
			$h2 "$url/broken/now"
			$h2 -d 'a=b' "$url/users/7"
		}
		if watch http2 "$NGINX" http; then
			asked http2 http2 'GET /file.html' 12 0
			asked http2 http2 'GET /users/:id' 4 0
			asked http2 http2 'POST /users/:id' 1 0
			asked http2 http2 'GET /broken/now' 1 1
			times http2
		fi
	else
		skip http2 'this curl has no HTTP/2'
	fi
	measure http-client --protocols http --target "curl -s -o /dev/null $url/file.html?n=[1-20]" ||
		return
	asked http-client http 'GET /file.html' 20 0 client
	times http-client
	# Not asked for: nothing is told.
	load() { curl -s "$url/file.html"; }
	watch http-not-wanted "$NGINX" redis &&
		equal http-not-wanted "$(value '.rounds[0].protocols // [] | length')" 0
}

with_redis() {
	start_redis || { skip redis "$MISSING"; return; }
	load() {
		local redis=(redis-cli -p "$REDIS_PORT")
		"${redis[@]}" -r 40 SET key value
		"${redis[@]}" -r 25 GET key
		"${redis[@]}" -r 3 LPUSH key no
		printf 'PING\r\nPING\r\n' | "${redis[@]}" --pipe
	}
	watch redis "$REDIS" redis || return
	asked redis redis SET 40 0
	asked redis redis GET 25 0
	asked redis redis LPUSH 3 3
	times redis
}

with_postgres() {
	start_postgres || { skip postgres "$MISSING"; return; }
	psql -qc 'CREATE TABLE t (n integer)'
	load() {
		local i
		for i in {1..5}; do echo "INSERT INTO t VALUES ($i);"; done | psql -qAt
		for i in {1..12}; do echo 'SELECT count(*) FROM t;'; done | psql -qAt
		echo 'SELECT * FROM nowhere;' | psql -qAt
		pgbench -n -c 1 -t 20 -M prepared -f <(echo 'UPDATE t SET n = n;')
	}
	watch postgres "$POSTGRES" postgres || return
	asked postgres postgres 'INSERT t' 5 0
	asked postgres postgres 'SELECT t' 12 0
	asked postgres postgres 'SELECT nowhere' 1 1
	asked postgres postgres 'UPDATE t' 20 0
	times postgres
}

with_nginx
with_redis
with_postgres
