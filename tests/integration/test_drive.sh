#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `perfbpf drive kubelogs/basic`: the log API alone, for anyone, without root or BPF.
# shellcheck disable=SC2016
# lane: shared
. "$(dirname "$0")/lib.sh"
need_command curl

command=("$PERFBPF" drive kubelogs/basic)
if ((EUID == 0)) && nobody_can_reach "$PERFBPF"; then
	command=(setpriv "--reuid=$NOBODY" "--regid=$NOBODY" --clear-groups --inh-caps=-all
		env "HOME=$WORK" "${command[@]}")
fi
PERFBPF_TEST_MARK=$MARK "${command[@]}" >"$OUT" 2>"$ERR" </dev/null 3>&- &
PID=$!
started+=("$PID")

has_kubeconfig() { cat "$OUT" "$ERR" | grep -oE "/[^ '\"]*kubeconfig[^ '\",;]*" | head -n 1 >"$WORK/path" && [[ -s $WORK/path ]]; }
if ! wait_for 10 has_kubeconfig; then
	fail start "no kubeconfig is told: $(cat "$OUT" "$ERR" | head -c 300)"
	exit
fi
ok start
kubeconfig=$(cat "$WORK/path")
server=$(grep -oE 'http://[^ "]+' "$kubeconfig" | head -n 1)
check loopback-address "$server" grep -qE '^http://(127\.0\.0\.1|localhost):[0-9]+/?$' <<<"$server"
port=${server##*:}
port=${port%/}
printf -v hex '%04X' "$port"
equal loopback-only "$(awk -v p=":$hex" '$4 == "0A" && index($2, p) == 9 { print substr($2, 1, 8) }' /proc/net/tcp)" 0100007F
check not-on-ipv6 'it listens on IPv6' test -z \
	"$(awk -v p=":$hex" '$4 == "0A" && index($2, p) == 33 && $2 !~ /^0{24}01000000/ { print $2 }' /proc/net/tcp6 2>/dev/null)"

get() { curl -sS --max-time "${LIMIT:-5}" "$server$1" >"$OUT" 2>"$ERR"; }
base=/api/v1/namespaces/perf-test/pods

get "$base"
equal list/kind "$(jq -r .kind "$OUT")" PodList
equal list/pods "$(jq '.items | length' "$OUT")" 20
check list/resource-version 'none' jq -e '.metadata.resourceVersion | test("^[0-9]+$")' "$OUT"
pod=$(jq -r '.items[0].metadata.name' "$OUT")
container=$(jq -r '.items[0].spec.containers[0].name' "$OUT")
get "$base?labelSelector=app%3Dperf-generator"
equal list/by-label "$(jq '.items | length' "$OUT")" 20
get "$base?labelSelector=app%3Dnothing"
equal list/by-other-label "$(jq '.items | length' "$OUT")" 0
get "$base?&limit=500"
equal list/odd-query "$(jq '.items | length' "$OUT")" 20
get "$base?"
equal list/empty-query "$(jq '.items | length' "$OUT")" 20
get "$base/$pod"
equal get/name "$(jq -r .metadata.name "$OUT")" "$pod"
get "$base/no-such-pod"
equal get/unknown "$(jq -r '"\(.kind) \(.code)"' "$OUT")" 'Status 404'
get "$base/no-such-pod/log"
equal log/unknown "$(jq -r '"\(.kind) \(.code)"' "$OUT")" 'Status 404'
get /api && equal api "$(jq -r .kind "$OUT")" APIVersions
get /apis && equal apis "$(jq -r .kind "$OUT")" APIGroupList
get /api/v1 && equal api-v1 "$(jq -r .kind "$OUT")" APIResourceList

LIMIT=8 get "$base?watch=true&timeoutSeconds=1"
equal watch/added "$(jq -s '[.[] | select(.type == "ADDED")] | length' "$OUT")" 20
version=$(curl -sS --max-time 5 "$server$base" | jq -r .metadata.resourceVersion)
LIMIT=8 get "$base?&watch=true&timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion=$version"
equal watch/nothing-new "$(jq -s '[.[] | select(.type == "ADDED")] | length' "$OUT")" 0

sleep 1
get "$base/$pod/log?container=$container&tailLines=10"
equal log/tail "$(wc -l <"$OUT")" 10
get "$base/$pod/log?&container=$container&tailLines=3"
equal log/odd-query "$(wc -l <"$OUT")" 3
get "$base/$pod/log?tailLines=0"
equal log/tail-zero "$(wc -l <"$OUT")" 0
get "$base/$pod/log?limitBytes=100"
equal log/limit-bytes "$(wc -c <"$OUT")" 100
get "$base/$pod/log?tailLines=5&timestamps=true"
equal log/timestamps "$(grep -cE '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?(Z|[+-][0-9:]+) ' "$OUT")" 5
get "$base/$pod/log?sinceSeconds=1"
all=$(wc -l <"$OUT")
check log/since-seconds "$all lines of the last second" test "$all" -gt 50 -a "$all" -lt 3000
get "$base/$pod/log?container=nope&tailLines=1"
check log/unknown-container "$(head -c 200 "$OUT")" jq -e '.kind == "Status" and .code >= 400' "$OUT"

# A stream that follows: it goes on, begins anew, and every line carries its pod and number.
LIMIT=2 get "$base/$pod/log?follow=true&tailLines=0"
lines=$(wc -l <"$OUT")
check follow/lines "$lines lines in 2 s" test "$lines" -gt 500 -a "$lines" -lt 3000
# Each line says its pod and its number; the last one may be cut by the end of the time.
sed '$d' "$OUT" | grep -oE 'pb#[0-9]+/[0-9]+/[0-9]+#' | tr '#/' '  ' >"$WORK/stamps"
equal follow/every-line-is-stamped "$(wc -l <"$WORK/stamps")" "$((lines - 1))"
equal follow/one-pod "$(awk '{ print $2 }' "$WORK/stamps" | sort -u | wc -l)" 1
check follow/no-number-is-missing 'not each number once and in order' awk 'NR > 1 && $3 != last + 1 { exit 1 } { last = $3 }' "$WORK/stamps"
check follow/times-rise 'an intended time is before the one of its predecessor' \
	awk 'NR > 1 && $4 < last { exit 1 } { last = $4 }' "$WORK/stamps"
# All pods at a time: about 14,123 lines/s.
curl -sS --max-time 5 "$server$base" | jq -r '.items[].metadata.name' |
	sed "s|.*|url = \"$server$base/&/log?follow=true\&tailLines=0\"|" >"$WORK/urls"
curl -sSN --max-time 3 --parallel --parallel-immediate --parallel-max 64 -K "$WORK/urls" >"$WORK/all" 2>"$ERR"
within follow/all-pods "$(($(wc -l <"$WORK/all") / 3))" 14123 15
levels=$(grep -oE '\b(DEBUG|INFO|WARN|ERROR)\b' "$WORK/all" | sort -u | tr '\n' ' ')
equal follow/levels "$levels" 'DEBUG ERROR INFO WARN '
check follow/some-json 'no line of JSON' grep -q '{"' "$WORK/all"

if command -v kubectl >/dev/null; then
	HOME=$WORK timeout 10 kubectl --kubeconfig "$kubeconfig" get pods -n perf-test >"$OUT" 2>"$ERR"
	equal kubectl/get-pods "$(grep -c '^perf-generator-' "$OUT")" 20
	HOME=$WORK timeout 3 kubectl --kubeconfig "$kubeconfig" logs -n perf-test -f -l app=perf-generator --prefix \
		--max-log-requests=50 --tail=0 >"$OUT" 2>"$ERR"
	check kubectl/logs "$(wc -l <"$OUT") lines" test "$(wc -l <"$OUT")" -gt 5000
fi

# Odd requests do not end it.
printf 'GARBAGE\r\n\r\n' | timeout 2 bash -c "exec 4<>/dev/tcp/127.0.0.1/$port; cat >&4; head -c 200 <&4" >/dev/null 2>&1
head -c 100000 /dev/zero | timeout 2 bash -c "exec 4<>/dev/tcp/127.0.0.1/$port; cat >&4; head -c 200 <&4" >/dev/null 2>&1
curl -sS --max-time 5 -X POST -d x "$server$base" >/dev/null 2>&1
curl -sS --max-time 5 "$server/$(head -c 20000 /dev/zero | tr '\0' a)" >/dev/null 2>&1
get "$base"
equal odd-requests "$(jq '.items | length' "$OUT")" 20

kill -INT "$PID"
wait_end 10
check end/exit "exit $RC" test "$RC" = 0 -o "$RC" = 130
check end/kubeconfig-is-gone "$kubeconfig is still there" test ! -e "$kubeconfig"
