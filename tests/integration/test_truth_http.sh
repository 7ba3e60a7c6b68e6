#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --protocols http with nothing but a truth program and curl, so that it can be tried on each kernel
# (test_protocols.sh is about real servers).
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf
need_command curl
READY=$WORK/ready
T=$WORK/truth.json

# asked NAME LABEL COUNT ERRORS ROLE
asked() {
	equal "$1/$2" "$(jq -r --arg what "$2" --arg role "$5" '.rounds[0].protocols | map(select(
		.protocol == "http" and .label == $what and .role == $role)) |
		"\(map(.count) | add) \(map(.errors) | add)"' "$DIR/run.json")" "$3 $4"
}

# The server ends with its 12th answer that is none of an error.
new_folder
start_perfbpf run --quiet --rounds 1 "${LEFT_OUT[@]}" --protocols http -o "$DIR" --target \
	"$TRUTH/metrics --ready $READY --answers 12 --truth $T"
if ! wait_for 60 test -s "$READY"; then
	fail server "the server did not begin: $(error_line)"
	exit 1
fi
read -r _ port <"$READY"
for _ in {1..5}; do
	curl -s -o /dev/null "http://127.0.0.1:$port/users/17"
done
for _ in {1..12}; do
	curl -s -o /dev/null "http://127.0.0.1:$port/metrics"
done
wait_end 30
if [[ $RC != 0 ]]; then
	fail server "exit $RC: $(error_line)"
elif [[ $(value '.rounds[0].requests == null') == true ]]; then
	kernel_has sock_send_length || skip_all 'this kernel tells nothing of sends and receives'
	fail server 'no requests were looked at'
else
	asked server 'GET /metrics' 12 0 server
	asked server 'GET /users/:id' 5 5 server
	equal server/unparsed "$(value '.rounds[0].requests.unparsed')" 0
	holds server/times '.rounds[0].protocols | all(.service.count == .count and .response.p50_seconds > 0)'
	nothing_lost server
fi

rm -f "$READY"
start_other "$TRUTH/metrics" --ready "$READY" --answers 3
wait_for 60 test -s "$READY"
read -r _ port <"$READY"
if measure client --protocols http --target \
	"curl -s -o /dev/null -o /dev/null -o /dev/null http://127.0.0.1:$port/metrics http://127.0.0.1:$port/metrics http://127.0.0.1:$port/metrics"; then
	asked client 'GET /metrics' 3 0 client
	equal client/unparsed "$(value '.rounds[0].requests.unparsed')" 0
	nothing_lost client
fi
