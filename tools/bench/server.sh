# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A server under load: nginx, in a folder of its own on loopback, and wrk. What timing its
# requests costs for an event, and what all programs cost in throughput. Read by bench.sh.
# shellcheck disable=SC2154

# A port of 127.0.0.1 that nobody listens on.
free_port() {
	local port i
	for ((i = 0; i < 50; i++)); do
		port=$((20000 + RANDOM % 12000))
		(exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

# start_nginx: NGINX is its process, which serves by itself: tools that follow only one see all.
start_nginx() {
	local i folder=$work/nginx
	NGINX_PORT=$(free_port)
	mkdir -p "$folder/www" || return
	head -c 612 /dev/zero | tr '\0' x >"$folder/www/index.html"
	cat >"$folder/nginx.conf" <<-END
		pid $folder/pid;
		error_log $folder/log;
		daemon off;
		master_process off;
		events { worker_connections 256; }
		http {
			access_log off;
			keepalive_requests 100000000;
			client_body_temp_path $folder/body;
			proxy_temp_path $folder/proxy;
			fastcgi_temp_path $folder/fastcgi;
			uwsgi_temp_path $folder/uwsgi;
			scgi_temp_path $folder/scgi;
			server {
				listen 127.0.0.1:$NGINX_PORT;
				root $folder/www;
				location /status { stub_status; }
			}
		}
	END
	nginx -p "$folder" -c "$folder/nginx.conf" -e "$folder/log" >/dev/null 2>"$work/err" </dev/null &
	NGINX=$!
	for ((i = 0; i < 100; i++)); do
		(exec 9<>"/dev/tcp/127.0.0.1/$NGINX_PORT") 2>/dev/null && return
		kill -0 "$NGINX" 2>/dev/null || break
		sleep 0.05
	done
	return 1
}

cost_of_requests() {
	local watched='nginx 1.5' functions='funclatency -p PID tcp_sendmsg'
	in_turns requests '' "$watched" "bpftrace $ROOT/tools/bench/service.bt PID" \
		'runqlat -p PID' 'offcputime -p PID 60' "$functions" || return
	event_row 'arrival, of requests' requests socket_arrival 0.5 bpftrace:sk_data_ready
	event_row 'receive, of requests' requests socket_receive 0.5 bpftrace:sock_recv_length
	event_row 'send, of requests' requests socket_send 0.5 bpftrace:sock_send_length \
		funclatency:dummy_kprobe+dummy_kretprobe
	event_row 'switch, of requests' requests sched_switched 1 runqlat:sched_switch offcputime:sched_switch
	event_row 'wakeup, of requests' requests sched_woken 1 runqlat:sched_wakeup
}

# throughput_row FIGURE WHAT AIM: see slices.c.
throughput_row() {
	local ratio low high rate
	if ! read -r ratio low high rate < <(timeout 120 build/bench/slices "$NGINX" "$NGINX_PORT" "$2" \
		"$pairs" 2>"$work/err"); then
		say "slices $2: $(tail -n 1 "$work/err")"
		return 1
	fi
	row "nginx, of its requests/s $1" \
		"$(number %.3f "$ratio") ($(number %.3f "$low") to $(number %.3f "$high"))" "$3" "without: $rate/s"
}

server_under_load() {
	local wrk status
	if ! have nginx || ! have wrk; then
		row 'nginx under load' "skipped: no $(have nginx && echo wrk || echo nginx)" - -
		return 0
	fi
	start_nginx || { say "nginx: $(tail -n 1 "$work/nginx/log" "$work/err")"; return 1; }
	wrk -t 1 -c 16 -d 300s "http://127.0.0.1:$NGINX_PORT/" >/dev/null 2>&1 </dev/null &
	wrk=$!
	sleep 0.5
	cost_of_requests && throughput_row 'with requests' requests '>= 0.99' &&
		throughput_row 'with requests, time, storage' default '>= 0.99' &&
		throughput_row 'with --syscalls too' syscalls '>= 0.97'
	status=$?
	kill -TERM "$wrk" "$NGINX"
	wait "$wrk" "$NGINX" 2>/dev/null
	return "$status"
}
