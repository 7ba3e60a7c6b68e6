#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# 1,000 connections a second, opened and closed for 30 s (15 s with CHECK_QUICK), from 400
# addresses: all of them are counted, and what is remembered of them stays bounded.
. "$(dirname "$0")/lib.sh"
need_bpf
SECONDS_OF_LOAD=30
[[ -z ${CHECK_QUICK:-} ]] || SECONDS_OF_LOAD=15
RATE=1000
# An emulated machine is a hundred times slower than its clock says.
[[ -z ${PERFBPF_TEST_EMULATED:-} ]] || { SECONDS_OF_LOAD=3 RATE=250; }
READY=$WORK/ready
S=$WORK/server.json
C=$WORK/client.json

cat >"$WORK/both.sh" <<-END
	"$TRUTH/server" --mode epoll --ready "$READY" --truth "$S" &
	"$TRUTH/client" --ready "$READY" --rate $RATE --duration $SECONDS_OF_LOAD --reconnect \
		--sources 400 --stop --truth "$C" && wait
END
LIMIT=$((SECONDS_OF_LOAD + 60)) measure connections --target "sh $WORK/both.sh" || exit 1
opened=$(value .opened "$C")
check opened-at-that-rate "only $opened" test "$opened" -ge $((SECONDS_OF_LOAD * RATE))
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
