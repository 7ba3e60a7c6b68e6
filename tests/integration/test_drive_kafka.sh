#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The driver kafka against librdkafka's mock broker (tests/truth/mock_broker.c): what it counts is
# what was asked for, and what a broker drops or doubles is found, to the message.
# shellcheck disable=SC2016
# lane: shared
. "$(dirname "$0")/lib.sh"
"$PERFBPF" list | grep -q '^  kafka ' || skip_all "$("$PERFBPF" list | grep -m 1 librdkafka || echo 'this build has no driver kafka')"
ldconfig -p | grep -q 'librdkafka\.so\.1' || skip_all 'there is no librdkafka.so.1 (Debian package librdkafka1)'
[[ -x $TRUTH/mock_broker ]] || skip_all 'tests/truth/mock_broker is not built (Debian package librdkafka-dev)'

# start_broker [TOPIC PARTITIONS]...: PORT is its.
start_broker() {
	mkfifo "$WORK/in" "$WORK/told"
	PERFBPF_TEST_MARK=$MARK "$TRUTH/mock_broker" "$@" <"$WORK/in" >"$WORK/told" 2>"$WORK/broker" 3>&- &
	started+=("$!")
	exec 7>"$WORK/in" 8<"$WORK/told"
	read -r -t 10 -u 8 line && PORT=$(jq -r .port <<<"$line")
}
# broker COMMAND...: it obeys before this returns.
broker() {
	printf '%s\n' "$*" >&7
	read -r -t 10 -u 8 line
}
# scenario PHASE SECTION...: writes $WORK/s.yaml.
scenario() {
	local phase=$1
	shift
	{
		printf '%s\n' 'driver: kafka' "phases: [{name: m, role: measured, $phase}]" \
			"ready_timeout: ${READY:-20s}" 'kafka:'
		printf '  %s\n' "$@"
	} >"$WORK/s.yaml"
}
drive() { LIMIT=40 perfbpf drive "$WORK/s.yaml" --set "port=$PORT" "$@"; }
result() { sed -n '/^{/,$p' "$OUT" >"$WORK/result.json"; }
told() { jq -rc "$1" "$WORK/result.json"; }
rate() { echo "executor: constant-arrival-rate, rate: $1, duration: $2"; }
iterations() { echo "executor: per-vu-iterations, vus: $1, iterations: $2, duration: 30s"; }
# One message a request, so that what happens to a request happens to a message.
single='linger: 0s'
singles='batch.num.messages: "1", max.in.flight.requests.per.connection: "1"'
# The mock broker answers an empty fetch after this time only, and lets members of a group wait for
# each other almost as long as a session lasts.
consume=$'fetch_wait: 10ms\n  heartbeat: 100ms\n  session_timeout: 2500ms'

start_broker exact 4 rate 4 errors 2 lost 3 doubled 2 backlog 2 group 4 || {
	fail broker "it does not start: $(cat "$WORK/broker")"
	exit
}

# Each message is produced once and consumed once by each group, through a compressor, too.
scenario "$(iterations 20 50)" 'topic: exact' 'partitions: 4' 'producers: 2' 'consumers: 2' 'groups: 2' \
	'message_size: 300' 'compression: zstd' "$consume"
drive
result
equal exact/exit "$RC" 0
equal exact/produced "$(told .work.messages_acknowledged)" 2000
equal exact/operations "$(told .work.operations)" 2000
equal exact/bytes "$(told .work.bytes)" 600000
equal exact/consumed "$(told .work.messages_consumed)" 4000
equal exact/faults "$(told '.work | "\(.errors) \(.lost) \(.duplicated) \(.reordered) \(.malformed) \(.foreign)"')" '0 0 0 0 0 0'
equal exact/producers "$(told '[.producers[].operations] | @csv')" 1000,1000
equal exact/response "$(told .latency.response.count)" 2000
equal exact/end-to-end "$(told .latency.end_to_end.count)" 4000
equal exact/assignment "$(told .latency.assignment.count)" 4
check exact/end-to-end-is-longer 'a message was consumed before it was sent' jq -e \
	'.latency | .end_to_end.min_seconds > 0 and .service.min_seconds > 0 and .response.mean_seconds >= .service.mean_seconds' \
	"$WORK/result.json"

# Open loop: as many as were due, whatever the compressor.
for compression in none gzip snappy lz4; do
	scenario "$(rate 1000 500ms)" 'topic: rate' 'partitions: 4' 'acks: all' "compression: $compression"
	drive
	result
	equal "rate/$compression" "$(told '.work | "\(.operations) \(.errors) \(.dropped)"')" '500 0 0'
done
drive --rate 400
result
equal rate/option "$(told .work.operations)" 200
within rate/series "$(told .throughput.produce.messages_per_second)" 400 2

# What the broker refuses is an error by its name, and is sent no more.
broker refuse 5
scenario "$(rate 200 500ms)" 'topic: errors' 'partitions: 2' "$single" "properties: {$singles}"
drive
result
equal refused/good "$(told .work.operations)" 95
equal refused/errors "$(told .errors)" '{"MSG_SIZE_TOO_LARGE":5}'
equal refused/all "$(told '.work.messages_produced')" 100

# A broker that takes messages and drops them.
broker refuse 7
scenario "$(rate 200 1s)" 'topic: lost' 'partitions: 3' 'acks: 0' 'consumers: 1' 'drain_timeout: 500ms' "$single" "$consume" \
	"properties: {$singles}"
drive
result
equal lost/exit "$RC" 0
equal lost/acknowledged "$(told .work.messages_acknowledged)" 200
equal lost/lost "$(told .work.lost)" 7
equal lost/consumed "$(told .work.messages_consumed)" 193
equal lost/others "$(told '.work | "\(.errors) \(.duplicated) \(.reordered)"')" '0 0 0'

# One that stores a message, but answers so late that it is sent again: twice.
broker delay 2 4000
scenario "$(rate 100 1s)" 'topic: doubled' 'partitions: 2' 'consumers: 1' 'compression: gzip' "$single" "$consume" \
	"properties: {$singles, socket.timeout.ms: '1100'}"
drive
result
equal doubled/doubled "$(told '.work | "\(.duplicated) \(.redelivered)"')" '2 0'
equal doubled/others "$(told '.work | "\(.operations) \(.errors) \(.lost) \(.reordered)"')" '100 0 0 0'
check doubled/told 'that requests timed out is not told' jq -e '.connection_errors._TIMED_OUT > 0' "$WORK/result.json"

# Only consumed: this broker has forgotten what was before its last 5 MiB of a partition.
scenario 'duration: 20s' 'topic: backlog' 'partitions: 2' 'producers: 0' 'consumers: 1' 'preload: 16k' 'drain_timeout: 1s' \
	'message_size: 1000' "$consume"
sed -i 's/preload: 16k/preload: 4000/' "$WORK/s.yaml"
drive
result
equal backlog/operations "$(told .work.operations)" 4000
equal backlog/lost "$(told .work.lost)" 0
equal backlog/fixed "$(told .work_is_fixed)" true
equal backlog/latencies "$(told '.latency | keys | join(" ")')" assignment
check backlog/rate "$(told .throughput.consume.messages_per_second)" jq -e '.throughput.consume.messages_per_second > 1000' "$WORK/result.json"
sed -i 's/preload: 4000/preload: 16k/; s/duration: 20s/duration: 1s/' "$WORK/s.yaml"
drive
result
equal backlog/all-are-accounted-for "$(told '.work | .messages_consumed + .lost')" 16000
check backlog/forgotten "$(told .work.lost) are lost" jq -e '.work.lost > 1000 and .work.lost < 10000' "$WORK/result.json"
equal backlog/not-fixed "$(told .work_is_fixed)" false

# A member joins: the group shares its partitions anew, and loses none. (This broker commits
# nothing while it does so: what was read before is read again, which is counted as that.)
scenario "$(rate 100 3s)" 'topic: group' 'partitions: 4' 'consumers: 2' \
	'rebalance: [{at: 300ms, join: 1}]' "$consume"
drive
result
equal group/assignment "$(told .latency.assignment.count)" 3
equal group/rebalance "$(told .latency.rebalance.count)" 1
check group/rebalance-time "$(told .latency.rebalance.max_seconds)" jq -e '.latency.rebalance | .min_seconds > 1 and .max_seconds < 15' \
	"$WORK/result.json"
equal group/lost "$(told '.work | "\(.messages_consumed) \(.lost)"')" '300 0'
equal group/again "$(told .work.duplicated)" "$(told .work.redelivered)"

# The broker goes and comes back: what ran out of time meanwhile is counted, and it goes on.
scenario "$(rate 100 4s)" 'topic: rate' 'partitions: 4' 'timeout: 500ms'
start_perfbpf drive "$WORK/s.yaml" --set "port=$PORT"
sleep 1.5
broker down
sleep 1.2
broker up
wait_end 30
result
equal down/exit "$RC" 0
equal down/all "$(told '.work.operations + .work.errors')" 400
check down/errors "$(told .errors)" jq -e '.errors | keys == ["_MSG_TIMED_OUT"] and ._MSG_TIMED_OUT > 30 and ._MSG_TIMED_OUT < 250' "$WORK/result.json"
check down/told "$(told .connection_errors)" jq -e '.connection_errors | has("_TRANSPORT")' "$WORK/result.json"

# Where the producer's own buffer is full, messages are late, and that is the driver's doing.
broker delay 1 700
scenario "$(rate 500 1s)" 'topic: rate' 'partitions: 4' 'buffer_size: 16KiB' "$single" "properties: {$singles}"
drive
result
equal full/all "$(told '.work.operations + .dropped')" 500
check full/late "$(told .late_seconds_max)" jq -e '.late_seconds_max > 0.3' "$WORK/result.json"
check full/told "$(told .notes)" grep -q 'own buffer was full' "$WORK/result.json"

# What goes wrong before the load ends it, with the place and the remedy.
scenario "$(rate 10 1s)" 'topic: rate' 'partitions: 3'
drive
equal setup/partitions "$RC $(error_line)" "1 perfbpf: kafka: the topic 'rate' at 127.0.0.1:$PORT has 4 partitions, the scenario wants 3; name another topic, or write partitions: 4"
READY=1s scenario "$(rate 10 1s)" 'topic: rate'
PORT=$(free_port) drive
equal setup/no-broker "$RC" 1
check setup/no-broker-is-told "$(error_line)" grep -q 'kafka: no broker answers at 127.0.0.1:[0-9]*: ' "$ERR"
scenario "$(rate 10 1s)" 'topic: rate' 'properties: {lingr.ms: "5"}'
drive
equal setup/property "$RC" 2
check setup/property-is-told "$(error_line)" grep -q 'takes no lingr.ms' "$ERR"
scenario "$(rate 10 1s)" 'bootstrap: "127.0.0.1:${prt}"'
drive
check setup/variable "$RC $(error_line)" grep -q "bootstrap.: .*prt" "$ERR"
scenario 'duration: 1s' 'topic: rate'
drive
check setup/executor "$RC $(error_line)" grep -q "phase 'm' has no executor" "$ERR"

exec 7>&-
wait_for 5 is_zombie_or_gone "${started[0]}"
