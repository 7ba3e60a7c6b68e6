#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# 1,000 connections a second, opened and closed for 30 s (15 s with CHECK_QUICK), from 400
# addresses: all of them are counted, and what is remembered of them stays bounded.
# lane: single
. "$(dirname "$0")/lib.sh"
need_bpf
SECONDS_OF_LOAD=30
[[ -z ${CHECK_QUICK:-} ]] || SECONDS_OF_LOAD=15
RATE=1000
# An emulated machine is a hundred times slower than its clock says.
[[ -z ${PERFBPF_TEST_EMULATED:-} ]] || { SECONDS_OF_LOAD=2 RATE=250; }
READY=$WORK/ready
S=$WORK/server.json
C=$WORK/client.json

cat >"$WORK/both.sh" <<-END
	"$TRUTH/server" --mode epoll --ready "$READY" --truth "$S" &
	"$TRUTH/client" --ready "$READY" --rate $RATE --duration $SECONDS_OF_LOAD --reconnect \
		--sources 400 --stop --truth "$C" && wait
END
# sizes AFTER MAP...: how much memory the kernel has for each of these after so many seconds.
sizes() {
	sleep "$1"
	shift
	for map; do
		bpftool -j map show name "$map" 2>/dev/null |
			jq -r --arg map "$map" '"\($map) \([.] | flatten | map(.bytes_memlock) | add)"'
	done
}
MAPS='pb_unix_turns pb_sockets pb_peer_index pb_peers'

# stays_bounded NAME: what two looks at the maps have found.
stays_bounded() {
	local map early late
	if ! [[ -s $WORK/early && -s $WORK/late ]]; then
		skip "$1/maps" 'bpftool tells nothing of maps here'
		return
	fi
	while read -r map early; do
		late=$(sed -n "s/^$map //p" "$WORK/late")
		check "$1/$map-stays" "$early bytes grew to $late" test "$((late * 4))" -le "$((early * 5 + 262144))"
	done <"$WORK/early"
}

# at_that_rate NAME SECONDS: the load was what it was to be: nobody was held back.
at_that_rate() {
	[[ -z ${PERFBPF_TEST_EMULATED:-} ]] || return
	holds "$1/in-its-time" ".rounds[0].window_seconds | . >= $2 - 0.1 and . <= $2 + 1"
	check "$1/in-time" "late by $(value .latest_seconds "$C") s" \
		jq -e '.latest_seconds < 0.5' "$C"
}

# look_twice SECONDS: at the maps, in the background, 2 s after its beginning and 1 s before its end.
look_twice() {
	# shellcheck disable=SC2086
	{
		sizes 3 $MAPS >"$WORK/early"
		sizes $(($1 - 4)) $MAPS >"$WORK/late"
	} 3>&- &
	started+=($!)
}

[[ -n ${PERFBPF_TEST_EMULATED:-} ]] || look_twice $SECONDS_OF_LOAD
LIMIT=$((SECONDS_OF_LOAD + 60)) measure connections --target "sh $WORK/both.sh" || exit 1
opened=$(value .opened "$C")
equal opened-all "$opened" $((SECONDS_OF_LOAD * RATE))
at_that_rate tcp $SECONDS_OF_LOAD
stays_bounded tcp
holds observer-stays-small '.rounds[0].observer.rss_peak_bytes < 100e6'
equal opened "$(value '.rounds[0].network.connections_opened')" "$opened"
equal accepted "$(value '.rounds[0].network.connections_accepted')" "$(value .accepted "$S")"
nothing_lost all
if [[ $(value '.rounds[0].requests == null') == true ]] && ! kernel_has sock_send_length; then
	skip requests 'this kernel tells nothing of sends and receives'
	exit 0
fi
equal served "$(value '.rounds[0].requests.served')" "$(value .served "$S")"
equal sent "$(value '.rounds[0].requests.sent')" "$(value .answered "$C")"
equal left-over "$(value '.rounds[0].requests | "\(.in_flight) \(.streams) \(.no_arrival) \(.no_role)"')" \
	'0 0 0 0'
equal connects "$(value '.rounds[0].latency.connect.count')" "$opened"
# The call returns later than that: the server may take the CPU away before.
between connect "$(value '.rounds[0].latency.connect.mean_seconds')" 0.000001 \
	"$(value .connect.mean_seconds "$C")" 0
within connect-p50 "$(value '.rounds[0].latency.connect.p50_seconds')" \
	"$(value .connect.p50_seconds "$C")" 0 0.0001
for name in queue service response; do
	equal "times/$name" "$(value ".rounds[0].latency.$name.count")" "$(value .served "$S")"
done
# 256 addresses, and one line for all others.
holds peers/bounded '.rounds[0].peers | length > 200 and length <= 257'
# All but the server itself, which the client asks, are addresses that were accepted.
for what in connections requests; do
	equal "peers/$what-as-client" \
		"$(value "[.rounds[0].peers[] | select(.role == \"client\") | .$what] | add")" "$opened"
	equal "peers/$what-as-server" \
		"$(value "[.rounds[0].peers[] | select(.role != \"client\") | .$what] | add")" "$opened"
done
holds peers/rest '[.rounds[0].peers[] | select(.address == "rest")] | length == 1'

# The same on Unix sockets: their end is told by nobody, so what was answered is kept until another
# socket lies at the same address.
SECONDS_OF_LOAD=6
[[ -z ${PERFBPF_TEST_EMULATED:-} ]] || SECONDS_OF_LOAD=2
sed -i "s/--duration [0-9]*/--duration $SECONDS_OF_LOAD/; s/ --sources 400//; s|--ready|--unix $WORK/socket --ready|" \
	"$WORK/both.sh"
rm -f "$READY" "$WORK/early" "$WORK/late"
[[ -n ${PERFBPF_TEST_EMULATED:-} ]] || look_twice $SECONDS_OF_LOAD
measure unix --target "sh $WORK/both.sh" || exit 1
at_that_rate unix $SECONDS_OF_LOAD
# Where the sender and whoever accepts come to a new socket at the same moment, on two CPUs, one of
# them can undo what the other has noted: seen at 3 of 168,000.
within unix/served "$(value '.rounds[0].requests.served')" $((SECONDS_OF_LOAD * RATE)) 0.05
within unix/sent "$(value '.rounds[0].requests.sent')" $((SECONDS_OF_LOAD * RATE)) 0.05
within unix/no-arrival "$(value '.rounds[0].requests.no_arrival')" 0 0 3
equal unix/left-over "$(value '.rounds[0].requests | "\(.in_flight) \(.streams) \(.no_role)"')" '0 0 0'
stays_bounded unix
nothing_lost unix
