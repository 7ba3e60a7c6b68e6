#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Times of requests against a server and a client that take them down themselves: how long a
# request waited, was served, was answered; over TCP and Unix sockets, by threads, epoll and
# io_uring, in pieces, in pipelines, by sendfile and splice; streams are left out.
. "$(dirname "$0")/lib.sh"
need_bpf
READY=$WORK/ready
T=$WORK/server.json
C=$WORK/client.json
EXACT=0.0001
# The program that answers.
SERVER=server
# What the last round says, and what its server and client say.
declare -A round=() served=() asked=()

# on KIND: the options for both ends.
on() {
	[[ $1 == tcp ]] || printf -- '--unix %s' "$WORK/socket"
}

# exact_at mean|p50 SECONDS: the bound. The histogram's buckets are 1/64 wide, and a percentile is
# the middle of one; the mean is exact.
exact_at() {
	awk -v of="$1" -v v="$2" -v b=$EXACT 'BEGIN { print b + (of == "p50" ? v / 128 : 0) }'
}

forget() {
	rm -f "$READY" "$T" "$C"
	new_folder
}

read_results() {
	numbers round '.rounds[0] | {exit_code, window_seconds, requests} + {latency: (.latency |
		map_values(del(.bucket_upper_seconds, .bucket_counts)))}'
	numbers served . "$T"
	numbers asked . "$C"
}

# run_client OPTION...: until the load is over and the server was told to end.
run_client() {
	PERFBPF_TEST_MARK=$MARK timeout -k 5 60 "$TRUTH/client" --ready "$READY" --stop \
		--truth "$C" "$@" </dev/null 3>&-
}

# An emulated machine is so slow that it does one of each kind.
EMULATED='queue-tcp-at-80 threads-unix uring-tcp crossing-tcp sendfile-tcp read-by-splice-tcp
	connection-each-closed-unix streams-tcp client-tcp'
is_wanted() {
	[[ -z ${PERFBPF_TEST_EMULATED:-} || " ${EMULATED//[$'\n\t']/ } " == *" $1 "* ]]
}

# talk NAME KIND SERVER-OPTIONS CLIENT-OPTIONS: measures the server. Fails where that fails.
talk() {
	local name=$1 status
	is_wanted "$name" || return
	forget
	# shellcheck disable=SC2046,SC2086
	start_perfbpf run --quiet --rounds 1 "${LEFT_OUT[@]}" -o "$DIR" --target \
		"$TRUTH/$SERVER $3 $(on "$2") --ready $READY --truth $T"
	# shellcheck disable=SC2046,SC2086
	run_client $4 $(on "$2")
	status=$?
	((status == 0)) || kill -TERM "$(cut -d' ' -f1 "$READY")"
	wait_end 20
	if [[ $RC == 0 && $status != 0 && $3 == *uring* && $(value '.rounds[0].exit_code') == 77 ]]; then
		skip "$name" 'io_uring is not there, or not allowed'
		return 1
	fi
	if [[ $RC != 0 || $status != 0 ]]; then
		fail "$name" "perfbpf ended in $RC: $(error_line); the client in $status"
		return 1
	fi
	read_results
	[[ -n ${round[requests.served]:-} ]] && return
	kernel_has sock_send_length || skip_all 'this kernel tells nothing of sends and receives'
	fail "$name" 'no requests were looked at'
	return 1
}

# exact NAME: how many, and that each was seen from its arrival to its end.
exact() {
	equal "$1/served" "${round[requests.served]}" "${served[served]}"
	equal "$1/streams" "${round[requests.streams]}" "${served[streams]}"
	equal "$1/times" \
		"${round[latency.queue.count]} ${round[latency.service.count]} ${round[latency.response.count]}" \
		"${served[served]} ${served[served]} ${served[served]}"
	equal "$1/left-over" \
		"${round[requests.in_flight]} ${round[requests.no_arrival]} ${round[requests.no_role]}" '0 0 0'
	nothing_lost "$1"
}

# during NAME METRIC BEGIN END: it is between two times of the server, at the median and on
# average. What was written left some time between the beginning and the end of that call; on
# the loopback the other end can take the CPU away before the call returns.
during() {
	local of begin
	for of in mean p50; do
		begin=${served[$3.${of}_seconds]}
		between "$1/$2-$of" "${round[latency.$2.${of}_seconds]:-}" "$begin" \
			"${served[$4.${of}_seconds]}" 0 "$(exact_at $of "$begin")"
	done
}

service() { during "$1" service service service_written; }
response() { during "$1" response response response_written; }

# queue NAME: as the stamps in the requests say, and as the simulation of a queue says. Where
# others took the CPUs from the server, it was no such queue: its own stamps say so.
queue() {
	local of truth simulated
	for of in mean p50 p90; do
		# A percentile needs ten values beyond it.
		[[ $of == p90 && ${served[served]} -lt 100 ]] && continue
		truth=${served[queue.${of}_seconds]} simulated=${served[simulated_queue.${of}_seconds]}
		within "$1/stamps-$of" "${round[latency.queue.${of}_seconds]:-}" "$truth" 2 0.001
		if awk -v t="$truth" -v s="$simulated" 'BEGIN { m = s / 100; if (m < 5e-4) m = 5e-4; exit t - s < m }'; then
			skip "$1/simulated-$of" "the server itself was held up: $truth s instead of $simulated s"
			continue
		fi
		within "$1/simulated-$of" "${round[latency.queue.${of}_seconds]:-}" "$simulated" 2 0.001
	done
	equal "$1/never-held-back" "${asked[held_back]}" 0
}

# Below capacity: 1, 10 and 100 ms, asleep and on the CPU, by one thread and by several.
for how in 'single 1' 'threads 4' 'acceptor 4' 'split 4'; do
	mode=${how% *} connections=${how#* }
	while read -r ms rate duration; do
		for burn in '' --burn; do
			[[ -n $burn && $mode != single && $mode != threads ]] && continue
			[[ $ms == 100 && $mode != single && $mode != threads ]] && continue
			name=$mode${burn:+-burning}-${ms}ms
			talk "$name" tcp "--mode $mode --threads 8 --service $ms $burn" \
				"--connections $connections --rate $rate --duration $duration" || continue
			exact "$name"
			service "$name"
			response "$name"
		done
	done <<-END
		1 300 0.7
		10 40 1
		100 6 1.5
	END
done

# One at a time in the order of arrival, below and above what that can do.
for kind in tcp unix; do
	for rate in 80 120; do
		name=queue-$kind-at-$rate
		talk "$name" $kind '--mode epoll --paced --service 10' \
			"--poisson --connections 300 --rate $rate --duration $(scaled 3 1.5)" || continue
		exact "$name"
		service "$name"
		queue "$name"
	done
	# What waits there has not been accepted yet.
	name=queue-$kind-of-connections
	talk "$name" $kind '--mode single --close --paced --service 10' \
		'--poisson --reconnect --rate 110 --duration 3' || continue
	exact "$name"
	service "$name"
	queue "$name"
done

# 1, 10 and 100 ms above capacity, by one thread and by several that take the next one who waits.
while read -r name threads ms rate duration; do
	talk "$name" tcp "--mode threads --threads $threads --close --paced --service $ms" \
		"--poisson --reconnect --rate $rate --duration $duration" || continue
	exact "$name"
	service "$name"
	queue "$name"
done <<-END
	queue-1ms-above 1 1 1100 1
	queue-100ms-above 1 100 12 2
	queue-of-4-10ms-above 4 10 440 1.5
	queue-of-4-100ms-above 4 100 48 1.5
END

# The other ways to talk.
# variant NAME SERVER-OPTIONS CLIENT-OPTIONS [OVERLAPPED [SECONDS [RATE]]]
variant() {
	local kind name
	for kind in tcp unix; do
		name=$1-$kind
		talk "$name" $kind "$2" "--rate ${6:-60} --connections 3 --duration ${5:-0.6} $3" || continue
		if [[ $name == read-by-splice-unix && ${round[requests.served]} == 0 ]]; then
			skip "$name" 'known gap: nothing tells of what splice(2) takes from a Unix socket'
			continue
		fi
		exact "$name"
		service "$name"
		response "$name"
		[[ -z ${4:-} ]] || check "$name/overlapped" "${round[requests.overlapped]}, not $4" \
			test "${round[requests.overlapped]}" "${4% *}" "${4#* }"
	done
}
variant threads '--mode threads --threads 16 --service 1' '' '-eq 0'
variant epoll '--mode epoll --service 1' ''
variant split '--mode split --service 1' ''
variant uring '--mode uring --service 1' ''
variant connection-each '--mode threads --service 1' --reconnect '-eq 0'
variant connection-each-closed '--mode threads --close --service 1' --reconnect '-eq 0'
variant half-read '--mode threads --read half --service 1' ''
# Where the server is late, it reads both halves at once.
variant half-written '--mode threads --service 1' '--half 4' '-gt 20' 1.5 24
variant half-both '--mode epoll --read half --service 1' '--half 4' '' 1.5 24
variant pipelined '--mode threads --service 1' '--pipeline 4'
variant pieces '--mode threads --service 1 --answer 4096 --writes 4 --pause 2' '--answer 4096'
variant sendfile '--mode threads --service 1 --answer 40000 --by sendfile' '--answer 40000'
variant splice '--mode threads --service 1 --answer 40000 --by splice' '--answer 40000'
variant read-by-splice '--mode threads --service 1 --read splice' ''
variant streams '--mode threads --threads 16 --service 1' '--streams 3' '' 1.5

# Several in flight, answered in their order or not: after the first one nobody knows which answer is
# whose. So those times are left out, and said to be; the queue is known.
# crossing NAME COUNTED TRUTH LATENCY
crossing() {
	equal "$1/$2" "${round[requests.$2]}" "$3"
	check "$1/interleaved" "${round[requests.interleaved]} of $3" \
		test "${round[requests.interleaved]}" -ge $(($3 * 9 / 10))
	equal "$1/left-out" "${round[latency.$4.count]}" $(($3 - ${round[requests.interleaved]}))
	equal "$1/no-role" "${round[requests.no_role]} ${round[requests.in_flight]}" '0 0'
	nothing_lost "$1"
}
SERVER=crossing
for kind in tcp unix; do
	while read -r name rate options; do
		name=$name-$kind
		# At the end two are answered, and nobody asks between them.
		if talk "$name" $kind "--service 10 $options" "--rate $rate --depth 8 --duration 0.5"; then
			check "$name/served" "${round[requests.served]} of ${served[served]}" \
				test "${round[requests.served]}" -ge $((served[served] * 6 / 10))
			crossing "$name" served "${round[requests.served]}" service
			equal "$name/queue" "${round[latency.queue.count]}" "${round[requests.served]}"
		fi
	done <<-END
		crossing 150
		crossing-uneven 120 --uneven
	END
	# By chance there are several, but it is silent again and again: then times are as they are.
	name=crossing-at-times-$kind
	if talk "$name" $kind '--service 5' '--rate 35 --poisson --depth 8 --duration 2'; then
		check "$name/overlapped" "${round[requests.overlapped]}" \
			test "${round[requests.overlapped]}" -gt 2
		check "$name/timed" "${round[latency.service.count]} of ${served[served]}" \
			test "${round[latency.service.count]}" -ge $((served[served] / 2))
		within "$name/service-p50" "${round[latency.service.p50_seconds]}" \
			"${served[service.p50_seconds]}" 0 "$(exact_at p50 "${served[service.p50_seconds]}")"
	fi
done
SERVER=server
# A client that has two in flight: after the first one, it cannot be told which answer it got.
for kind in tcp unix; do
	ask_crossing() {
		local name=client-crossing-$kind
		is_wanted "$name" || return 0
		forget
		# shellcheck disable=SC2046
		start_other "$TRUTH/crossing" --service 10 $(on $kind) --ready "$READY" --truth "$T"
		# shellcheck disable=SC2046
		measure "$name" --target "$TRUTH/client --ready $READY $(on $kind) --rate 150 --depth 8 \
			--duration 0.5 --stop --truth $C" || return
		wait "$OTHER"
		read_results
		check "$name/asked" "${round[requests.sent]} of ${asked[answered]}" \
			test "${round[requests.sent]}" -ge $((asked[answered] * 6 / 10))
		crossing "$name" sent "${round[requests.sent]}" round_trip
	}
	ask_crossing
done

# ask NAME KIND SERVER-OPTIONS CLIENT-OPTIONS [SECONDS]: measures the client.
ask() {
	local name=$1-$2 of truth
	is_wanted "$name" || return 0
	forget
	# shellcheck disable=SC2046,SC2086
	start_other "$TRUTH/$SERVER" $3 $(on "$2") --ready "$READY" --truth "$T"
	measure "$name" --target \
		"$TRUTH/client --ready $READY $(on "$2") --rate 100 --duration ${5:-0.6} $4 --stop --truth $C" ||
		return
	wait "$OTHER"
	read_results
	equal "$name/sent" "${round[requests.sent]}" "${asked[answered]}"
	equal "$name/left-over" \
		"${round[requests.served]} ${round[requests.in_flight]} ${round[requests.no_role]}" '0 0 0'
	equal "$name/times" "${round[latency.round_trip.count]}" "${asked[answered]}"
	# From its own stamp to the server's; the client itself sees the answer later.
	for of in mean p50; do
		truth=${asked[round_trip.${of}_seconds]}
		within "$name/round-trip-$of" "${round[latency.round_trip.${of}_seconds]:-}" "$truth" 0 \
			"$(exact_at $of "$truth")"
	done
	nothing_lost "$name"
	[[ $2 == tcp ]] || return
	equal "$name/connects" "${round[latency.connect.count]}" "${asked[opened]}"
	# The call returns later than that: the server may take the CPU away before.
	between "$name/connect" "${round[latency.connect.mean_seconds]:-}" 0.000001 \
		"${asked[connect.mean_seconds]}" 0
}
for kind in tcp unix; do
	ask client $kind '--mode threads --threads 8 --service 2' '--connections 4'
	ask client-connection-each $kind '--mode threads --threads 8 --service 2' --reconnect
	ask client-of-pieces $kind \
		'--mode threads --threads 8 --service 2 --answer 4096 --writes 3 --pause 1' \
		'--connections 4 --answer 4096'
	# The first ping comes when it is known to stream.
	ask client-streams $kind '--mode threads --threads 8 --service 2' \
		'--connections 2 --streams 2 --ping 1300' 2.8
	is_wanted client-streams-$kind && equal "client-streams-$kind/streams" "${round[requests.streams]}" 2
	ask client-half-written $kind '--mode threads --threads 8 --service 2' '--connections 4 --half 3'
done

# Attached to in the middle of a load, on connections that were there before: the rate is
# known, and what is on its way at the edges is not more than there are connections.
for kind in tcp unix; do
	for role in server client; do
		name=attached-$role-$kind
		is_wanted "$name" || continue
		forget
		# shellcheck disable=SC2046
		start_other "$TRUTH/server" --mode threads --threads 8 --service 1 $(on $kind) \
			--ready "$READY" --truth "$T"
		server=$OTHER
		# shellcheck disable=SC2046
		start_other "$TRUTH/client" --ready "$READY" --rate 500 --duration 2.5 --connections 4 \
			$(on $kind) --stop --truth "$C"
		client=$OTHER
		sleep 0.5
		new_folder
		perfbpf attach "${!role}" --duration 1s -o "$DIR"
		wait "$client" "$server"
		equal "$name/exit" "$RC" 0
		read_results
		counted=served latency=service truth=${served[service.p50_seconds]}
		[[ $role == server ]] ||
			counted=sent latency=round_trip truth=${asked[round_trip.p50_seconds]}
		within "$name/$counted" "${round[requests.$counted]}" \
			"$(jq -n "${round[window_seconds]} * 500")" 1 4
		equal "$name/no-role" "${round[requests.no_role]}" 0
		within "$name/$latency" "${round[latency.$latency.p50_seconds]}" "$truth" 0 \
			"$(exact_at p50 "$truth")"
		nothing_lost "$name"
	done
done
