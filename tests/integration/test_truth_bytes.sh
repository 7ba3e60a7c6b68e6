#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Bytes through sockets: exact, by side, by process and by family.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf
N=1000003
T=$WORK/truth.json

truth() { value "$1" "$T"; }

# bytes NAME ARGUMENT...
bytes() {
	local name=$1 family
	shift
	measure "$name" --target "$TRUTH/bytes $* --truth $T" || return
	family=$(truth .family)
	equal "$name/tx" "$(value '.rounds[0].network.tx_bytes')" "$(truth .tx_bytes)"
	equal "$name/rx" "$(value '.rounds[0].network.rx_bytes')" "$(truth .rx_bytes)"
	equal "$name/family" \
		"$(value '[.rounds[0].network.families | to_entries[] | select(.value.tx_bytes + .value.rx_bytes > 0) | .key] | join(" ")')" \
		"$family"
	equal "$name/connections" \
		"$(value '.rounds[0].network | "\(.connections_opened) \(.connections_accepted)"')" \
		"$(truth '"\(.connections_opened) \(.connections_accepted)"')"
}

# by_process NAME: of a sender and a receiver that are processes.
by_process() {
	equal "$1/sender" \
		"$(value ".rounds[0].processes[] | select(.pid == $(truth .pid)) | \"\(.tx_bytes) \(.rx_bytes)\"")" \
		"$N 0"
	equal "$1/receiver" \
		"$(value ".rounds[0].processes[] | select(.pid == $(truth .peer_pid)) | \"\(.tx_bytes) \(.rx_bytes)\"")" \
		"0 $N"
}

# An emulated machine, where each run takes long, does each thing in one way.
for method in $(scaled 'write send sendmsg sendmmsg sendfile splice udp unix peek' 'sendfile splice peek'); do
	bytes "$method" "$method" $N
done
for method in $(scaled 'write udp unix peek' unix); do
	bytes "$method-forked" "$method" $N --fork && by_process "$method-forked"
done
for method in $(scaled 'write udp peek' udp); do
	bytes "$method-inet6" "$method" $N --inet6
done
for reader in $(scaled 'recv recvmsg recvmmsg' ''); do
	bytes "read-by-$reader" write $N --read "$reader"
done
# The other way round, splice(2) from a socket, passes by all tracepoints.
if measure read-by-splice --target "$TRUTH/bytes write $N --read splice --truth $T"; then
	if [[ $(value '.rounds[0].network.rx_bytes') == 0 ]]; then
		skip read-by-splice 'known gap: no tracepoint tells of bytes that splice(2) takes from a socket'
	else
		equal read-by-splice "$(value '.rounds[0].network.rx_bytes')" $N
	fi
fi

if measure connections --target "$TRUTH/connections open 50 --truth $T"; then
	equal connections/opened "$(value '.rounds[0].network.connections_opened')" 50
	equal connections/accepted "$(value '.rounds[0].network.connections_accepted')" 50
fi
measure refused --target "$TRUTH/connections refused 20 --truth $T" &&
	equal refused "$(value '.rounds[0].network.connections_opened')" 0
if measure retransmits --target "$TRUTH/connections resend 8 --truth $T"; then
	if (($(truth .retransmits) == 0)); then
		skip retransmits 'this kernel sent no SYN again'
	else
		equal retransmits "$(value '.rounds[0].network.retransmits')" "$(truth .retransmits)"
		equal retransmits/of-peers "$(value '[.rounds[0].peers[].retransmits] | add')" \
			"$(truth .retransmits)"
	fi
fi
