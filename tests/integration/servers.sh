# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Real servers, each in a folder of its own below WORK, on a free port of 127.0.0.1. To be
# read after lib.sh; all of them end with the test. Each start_NAME fails, with its reason in
# MISSING, where this machine has no such server.
# shellcheck disable=SC2034

SERVERS=()
MISSING=

cleanup() {
	local pid
	for pid in "${SERVERS[@]}"; do
		kill -INT "$pid" 2>/dev/null
	done
	for pid in "${SERVERS[@]}"; do
		wait_for 5 is_zombie_or_gone "$pid" || kill -KILL "$pid" 2>/dev/null
	done
}

have() {
	local name
	for name in "$@"; do
		command -v "$name" >/dev/null && continue
		MISSING="there is no $name on PATH"
		return 1
	done
}

# is_up NAME FILE PORT: it wrote its process id, which is added to SERVERS, and answers.
is_up() {
	wait_for 15 test -s "$2" && wait_for 15 answers_at "$3" && SERVERS+=("$(head -n 1 "$2")") &&
		return
	MISSING="$1 did not start: $(tail -n 1 "$WORK/$1.log")"
	return 1
}

# start_nginx: NGINX is its process, NGINX_PORT where it answers, HTTP2_PORT where it does by HTTP/2; / are files,
# /users/ is answered by itself.
start_nginx() {
	have nginx || return
	NGINX_PORT=$(free_port)
	HTTP2_PORT=$(free_port)
	mkdir -p "$WORK/nginx/www"
	head -c 600 /dev/zero | tr '\0' 'x' >"$WORK/nginx/www/file.html"
	cat >"$WORK/nginx/nginx.conf" <<-END
		pid $WORK/nginx/pid;
		error_log $WORK/nginx.log;
		worker_processes 1;
		daemon off;
		events { worker_connections 256; }
		http {
			access_log off;
			keepalive_requests 10000000;
			client_body_temp_path $WORK/nginx/body;
			proxy_temp_path $WORK/nginx/proxy;
			fastcgi_temp_path $WORK/nginx/fastcgi;
			uwsgi_temp_path $WORK/nginx/uwsgi;
			scgi_temp_path $WORK/nginx/scgi;
			server {
				listen 127.0.0.1:$NGINX_PORT;
				listen 127.0.0.1:$HTTP2_PORT http2;
				root $WORK/nginx/www;
				location /users/ { return 200 "a user\n"; }
				location /broken/ { return 503; }
			}
		}
	END
	start_other nginx -p "$WORK/nginx" -c "$WORK/nginx/nginx.conf" -e "$WORK/nginx.log"
	is_up nginx "$WORK/nginx/pid" "$NGINX_PORT" || return
	NGINX=$(<"$WORK/nginx/pid")
}

# start_redis: REDIS is its process, REDIS_PORT where it answers.
start_redis() {
	local program
	have redis-benchmark redis-cli || return
	program=$(command -v redis-server || command -v redis-check-rdb)
	# Debian has the server in a package that starts one; the checker of its tools is the same
	# program, and goes by its name.
	ln -sf "${program:?}" "$WORK/redis-server"
	REDIS_PORT=$(free_port)
	start_other "$WORK/redis-server" --port "$REDIS_PORT" --bind 127.0.0.1 --dir "$WORK" \
		--save '' --appendonly no --daemonize no --pidfile "$WORK/redis.pid" \
		--logfile "$WORK/redis.log"
	is_up redis "$WORK/redis.pid" "$REDIS_PORT" || return
	REDIS=$(<"$WORK/redis.pid")
}

# start_postgres [ARGUMENT...]: POSTGRES is its process, PGHOST, PGPORT and so on lead to it: by TCP, or
# by a Unix socket where PGHOST is set to $WORK/postgres. The arguments are the server's.
start_postgres() {
	local folder=$WORK/postgres
	PATH=$PATH:$(printf '%s:' /usr/lib/postgresql/*/bin)
	have initdb postgres pgbench psql setpriv || return
	mkdir "$folder"
	chown "$NOBODY:$NOBODY" "$folder"
	export PGHOST=127.0.0.1 PGPORT PGUSER=postgres PGDATABASE=postgres PGSSLMODE=disable \
		PGGSSENCMODE=disable
	PGPORT=$(free_port)
	if ! as_nobody initdb -D "$folder/data" -A trust -U postgres -N --no-locale -E UTF8 \
		>"$WORK/postgres.log" 2>&1; then
		MISSING="initdb: $(tail -n 1 "$WORK/postgres.log")"
		return 1
	fi
	serve_postgres "$@"
}

# serve_postgres [ARGUMENT...]: the same again, after it has been stopped, on the data that is there.
serve_postgres() {
	local folder=$WORK/postgres
	start_other as_nobody postgres -D "$folder/data" -p "$PGPORT" -k "$folder" \
		-c listen_addresses=127.0.0.1 -c logging_collector=off -c max_connections=20 "$@" \
		2>>"$WORK/postgres.log"
	is_up postgres "$folder/data/postmaster.pid" "$PGPORT" || return
	POSTGRES=$(head -n 1 "$folder/data/postmaster.pid")
	wait_for 15 psql -qAtc 'SELECT 1' && return
	MISSING='postgres does not answer'
	return 1
}
