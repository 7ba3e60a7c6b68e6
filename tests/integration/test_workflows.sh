#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The runner of workflows that the Kailash suite measures: the same answers by either runtime and
# whatever database, waiting that is seen from outside, what it refuses, and what its databases break.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_command curl
PYTHON=/usr/bin/python3
[[ -x $PYTHON ]] || skip_all "there is no $PYTHON"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || skip_all "$PYTHON is older than 3.11"
RUNNER=scenarios/scripts/workflow_runner.py

# What each kind and size answers, everywhere and for good: scenarios hold the same.
declare -A answers=(
	[data_processing/simple]='6 99 36e34e846445b4a9'
	[data_processing/medium]='8 394 f5eb037140ab7244'
	[data_processing/complex]='11 1510 b86f776aa7fba2ed'
	[analytics/simple]='6 100 2e3b92e6aade0d22'
	[analytics/medium]='8 385 d023138516cbbcbe'
	[analytics/complex]='12 1585 36474ce2dae4a25e'
	[transformation/simple]='5 78 7addbe89ebc5afea'
	[transformation/medium]='6 299 f50f76d80077a58c'
	[transformation/complex]='9 1172 5359d5a79b83532c'
)

# start_kept COMMAND...: as start_other, with its output where the caller wants it.
start_kept() {
	PERFBPF_TEST_MARK=$MARK HOME=$WORK "$@" </dev/null 3>&- &
	OTHER=$!
	started+=("$OTHER")
}

# start NAME COMMAND...: a runner of COMMAND that says its port, which URL then is.
start() {
	local name=$1 port
	shift
	start_kept "$@" --port 0 2>"$WORK/$name.err" >"$WORK/$name.out"
	wait_for 30 grep -q '^listening on ' "$WORK/$name.out" || {
		fail "$name/start" "$(tail -n 1 "$WORK/$name.err")"
		return 1
	}
	read -r _ _ URL <"$WORK/$name.out"
}

# post QUERY: STATUS and BODY of one workflow.
post() {
	STATUS=$(curl -sS --noproxy '*' -m 30 -o "$WORK/body" -w '%{http_code}' -X POST "$URL/run?$1")
	BODY=$(<"$WORK/body")
}

expected() {
	local nodes rows checksum
	read -r nodes rows checksum <<<"${answers[$1]}"
	printf '{"checksum":"%s","kind":"%s","nodes":%s,"rows":%s,"size":"%s"}' \
		"$checksum" "${1%/*}" "$nodes" "$rows" "${1#*/}"
}

# all_answers NAME QUERY: every kind and size, each twice.
all_answers() {
	local what wrong=''
	for what in "${!answers[@]}" "${!answers[@]}"; do
		post "kind=${what%/*}&size=${what#*/}${2:+&$2}"
		[[ $STATUS == 200 && $BODY == "$(expected "$what")" ]] || wrong+=" $what: $STATUS $BODY;"
	done
	equal "$1" "$wrong" ''
}

# at_once N QUERY: N workflows at the same time; $WORK/replies has a line "STATUS SECONDS" for each.
at_once() {
	local i
	for ((i = 0; i < $1; i++)); do
		printf 'url = "%s/run?%s"\noutput = "%s/reply-%s"\n' "$URL" "$2" "$WORK" "$i"
	done >"$WORK/config"
	rm -f "$WORK"/reply-*
	curl -sS --noproxy '*' --no-progress-meter -m 60 -X POST --parallel --parallel-immediate --parallel-max "$1" \
		-w '%{http_code} %{time_total}\n' -K "$WORK/config" >"$WORK/replies"
}

count_status() { grep -c "^$1 " "$WORK/replies"; }

# ends NAME: the runner that was started last ends in order, by a signal.
ends() {
	local status
	kill "$OTHER"
	wait_for 10 is_zombie_or_gone "$OTHER" || {
		fail "$1/ends" 'it still runs 10 s after SIGTERM'
		return
	}
	wait "$OTHER"
	status=$?
	equal "$1/ends" "$status" 0
}

refuses() {
	local name=$1 wanted=$2 status
	shift 2
	status=$(curl -sS --noproxy '*' -m 10 -o "$WORK/body" -w '%{http_code}' "$@")
	equal "refuses/$name" "$status $(jq -r 'keys | join(",")' "$WORK/body")" "$wanted error"
}

start plain "$PYTHON" "$RUNNER" --workers 4 || exit 1
all_answers plain/answers ''
at_once 200 'kind=analytics&size=simple'
equal plain/200-at-once "$(count_status 200)" 200
equal plain/200-same "$(sort -u "$WORK"/reply-*)" "$(expected analytics/simple)"
equal plain/health "$(curl -sS --noproxy '*' "$URL/health")" \
	'{"completed":218,"failed":0,"queued":0,"running":0,"runtime":"plain"}'
equal plain/metrics "$(curl -sS --noproxy '*' "$URL/metrics" |
	awk '/^workflow_seconds_count/ { n += $2 } END { print n }')" 218
refuses kind 400 -X POST "$URL/run?kind=mining"
refuses size 400 -X POST "$URL/run?size=huge"
refuses parameter 400 -X POST "$URL/run?knid=analytics"
refuses workers 400 -X POST "$URL/run?workers=0"
refuses database 400 -X POST "$URL/run?database=oracle://127.0.0.1"
refuses other-machine 400 -X POST "$URL/run?database=redis://192.0.2.1:6379"
refuses path 404 "$URL/nowhere"
refuses method 405 "$URL/run"
refuses long-header 431 -H "X-Long: $(printf 'x%.0s' {1..20000})" -X POST "$URL/run"
refuses nobody-there 503 -X POST "$URL/run?database=redis://127.0.0.1:$(free_port)"
post 'kind=transformation&size=simple'
equal plain/after-refusals "$BODY" "$(expected transformation/simple)"
ends plain

# One worker, twenty workflows: nineteen wait. The clock inside the worker sees nothing of it.
if start waiting "$PYTHON" "$RUNNER" --workers 1; then
	at_once 20 'kind=data_processing&size=complex'
	equal waiting/all "$(count_status 200)" 20
	inside=$(curl -sS --noproxy '*' "$URL/metrics" | awk '/^workflow_seconds_sum/ { s += $2 } END { print s }')
	# In a queue of one server the n-th waits for n services: outside the sum is 10 times as much.
	# shellcheck disable=SC2016
	check waiting/seen-outside "$(<"$WORK/replies") and $inside s inside" \
		awk -v inside="$inside" '{ outside += $2 } END { exit !(outside > 4 * inside && inside > 0) }' "$WORK/replies"
	ends waiting
fi
# One connection for eight workers, and little patience.
if start pool "$PYTHON" "$RUNNER" --workers 8 --connections 1 --connection-timeout 0.001; then
	at_once 40 'kind=analytics&size=complex'
	check pool/exhausted "$(sort "$WORK/replies" | uniq -c | head -n 5)" test "$(count_status 503)" -gt 0
	equal pool/nothing-else "$(($(count_status 503) + $(count_status 200)))" 40
	check pool/said "$(sort -u "$WORK"/reply-*)" \
		grep -qxF '{"error":"none of 1 connections was free in 0.001 s"}' <(sort -u "$WORK"/reply-*)
	post 'kind=analytics&size=complex'
	equal pool/recovers "$BODY" "$(expected analytics/complex)"
	ends pool
fi

# What a machine lacks is told before anything runs.
mkdir "$WORK/lacking"
for module in psycopg2 kailash; do
	echo 'raise ImportError("not here")' >"$WORK/lacking/$module.py"
done
# lacks NAME WORD ARGUMENT...
lacks() {
	local name=$1 word=$2 status
	shift 2
	PYTHONPATH=$WORK/lacking timeout 20 "$PYTHON" "$RUNNER" --port 0 "$@" >"$WORK/out" 2>"$WORK/err"
	status=$?
	equal "lacks/$name" "$status" 3
	check "lacks/$name-said" "$(<"$WORK/err")" grep -qF "$word" "$WORK/err"
}
lacks postgres 'python3-psycopg2' --database postgres://postgres@127.0.0.1:5432/postgres
lacks kailash 'tools/install-peers.sh' --runtime kailash

# A database that takes rows and gives others back, which no time would show.
mkdir "$WORK/broken"
cat >"$WORK/broken/redis.py" <<-'END'
	class Redis:
	    def __init__(self, **_): self.row = None
	    def ping(self): pass
	    def set(self, key, text): self.row = text
	    def get(self, key): return self.row and self.row[:-1] + " "
	    def close(self): pass
END
if PYTHONPATH=$WORK/broken start broken "$PYTHON" "$RUNNER" --database redis://127.0.0.1:6379; then
	post 'kind=data_processing&size=simple'
	equal broken/found "$STATUS $BODY" \
		'503 {"error":"row data_processing-simple-0 is not what was written"}'
	ends broken
fi

# --- databases -------------------------------------------------------------------------

# database NAME MODULE PORT URL: the same answers with it, which is process OTHER, and then its end.
database() {
	local server=$OTHER
	with_database "$@"
	kill "$server"
	wait_for 10 is_zombie_or_gone "$server" || kill -KILL "$server"
}

with_database() {
	local name=$1 module=$2 port=$3 url=$4
	if ! "$PYTHON" -c "import $module" 2>/dev/null; then
		skip "$name" "$PYTHON has no module $module (Debian's python3-$module)"
		return
	fi
	if ! wait_for 20 answers_at "$port"; then
		fail "$name" "the database did not begin: $(tail -n 2 "$WORK/$name.log")"
		return
	fi
	sleep 0.5
	start "$name-runner" "$PYTHON" "$RUNNER" --workers 8 || return
	all_answers "$name/answers" "database=$url"
	at_once 40 "kind=analytics&size=medium&connections=4&database=$url"
	equal "$name/40-at-once" "$(count_status 200)" 40
	ends "$name-runner"
}

# own USER FOLDER COMMAND...: as somebody who may run a database, in a folder of his.
own() {
	local user=$1
	mkdir -p "$2"
	if ((EUID == 0)); then
		chown "$user" "$2"
		shift 2
		setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
	else
		shift 2
		"$@"
	fi
}

chmod 711 "$WORK"
postgres=$(command -v postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' | tail -n 1)
if [[ -n $postgres ]] && id postgres >/dev/null 2>&1; then
	port=$(free_port)
	postgres=$(readlink -f "$postgres")
	own postgres "$WORK/pg" "${postgres%/*}/initdb" -D "$WORK/pg/data" -A trust -U postgres --no-sync >/dev/null
	start_kept setpriv --reuid=postgres --regid="$(id -g postgres)" --clear-groups "$postgres" \
		-D "$WORK/pg/data" -h 127.0.0.1 -p "$port" -k '' -c fsync=off >"$WORK/postgres.log" 2>&1
	database postgres psycopg2 "$port" "postgres://postgres@127.0.0.1:$port/postgres"
else
	skip postgres 'PostgreSQL is not installed'
fi
if command -v mariadbd >/dev/null && id mysql >/dev/null 2>&1; then
	port=$(free_port)
	own mysql "$WORK/my" mariadb-install-db --no-defaults --datadir="$WORK/my/data" \
		--auth-root-authentication-method=normal --skip-test-db >/dev/null
	start_kept setpriv --reuid=mysql --regid="$(id -g mysql)" --clear-groups mariadbd --no-defaults \
		--datadir="$WORK/my/data" --port="$port" --bind-address=127.0.0.1 --socket="$WORK/my/socket" \
		>"$WORK/mariadb.log" 2>&1
	database mariadb pymysql "$port" "mysql://root@127.0.0.1:$port/mysql"
else
	skip mariadb 'MariaDB is not installed'
fi
if command -v redis-server >/dev/null; then
	port=$(free_port)
	mkdir "$WORK/rd"
	start_kept redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$WORK/rd" \
		>"$WORK/redis.log" 2>&1
	database redis redis "$port" "redis://127.0.0.1:$port/0"
else
	skip redis 'Redis is not installed'
fi

# --- the real one ------------------------------------------------------------------------

[[ -x ${HOME:-/nonexistent}/.local/bin/kailash-python ]] && PATH=$PATH:$HOME/.local/bin
if ! command -v kailash-python >/dev/null; then
	skip kailash 'there is no kailash-python on PATH (tools/install-peers.sh)'
elif start kailash kailash-python "$RUNNER" --runtime kailash --workers 4; then
	all_answers kailash/answers ''
	at_once 20 'kind=analytics&size=simple'
	equal kailash/20-at-once "$(count_status 200)" 20
	equal kailash/20-same "$(sort -u "$WORK"/reply-*)" "$(expected analytics/simple)"
	# A node that fails is the workflow's failure, though the runtime goes on to others.
	post "kind=analytics&size=simple&database=redis://127.0.0.1:$(free_port)"
	check kailash/failed-node "$STATUS $BODY" grep -q 'cannot connect' <<<"$STATUS $BODY"
	equal kailash/failed-status "$STATUS" 503
	ends kailash
fi
