#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --without, --protocols and --syscalls: what they leave out is neither loaded nor told, what they
# ask for is, and what they do not understand ends in 2 with what there is.
# shellcheck disable=SC2016
# lane: shared
. "$(dirname "$0")/lib.sh"

# refused NAME REGEX COMMAND...: nothing is run, and the message is one line that helps.
refused() {
	local name=$1 regex=$2
	shift 2
	LIMIT=20 perfbpf "$@"
	equal "$name/exit" "$RC" 2
	if [[ $(grep -c . "$ERR") != 1 ]] || ! error_line | grep -qE -- "$regex"; then
		fail "$name/message" "no /$regex/ in: $(cat "$ERR")"
	else
		ok "$name/message"
	fi
	check "$name/no-folder" 'a results folder was made' test ! -e "$WORK/none"
}

for command in 'run --target true' 'attach 1'; do
	name=${command%% *}
	# shellcheck disable=SC2206
	words=($command -o "$WORK/none")
	parts='requests, time and io'
	refused "$name/without-foo" "--without 'foo'.* $parts" "${words[@]}" --without foo
	refused "$name/without-one-of-two" "--without 'foo'.* $parts" "${words[@]}" --without requests,foo
	refused "$name/without-a-part-of-a-word" "--without 'tim'.* $parts" "${words[@]}" --without tim
	refused "$name/without-more-than-a-word" "--without 'times'.* $parts" "${words[@]}" --without times
	refused "$name/without-an-empty-word" "--without ''.* $parts" "${words[@]}" --without io,
	refused "$name/without-nothing" "--without ''.* $parts" "${words[@]}" --without ''
	refused "$name/without-no-word" "--without.*LIST|--without.*(value|argument)" "${words[@]}" --without
	all='http, postgres, redis, kafka and mysql'
	refused "$name/protocols-foo" "--protocols 'foo'.* $all" "${words[@]}" --protocols foo
	refused "$name/protocols-one-of-two" "--protocols 'foo'.* $all" "${words[@]}" --protocols http,foo
	refused "$name/protocols-in-capitals" "--protocols 'HTTP'.* $all" "${words[@]}" --protocols HTTP
	refused "$name/protocols-nothing" "--protocols ''.* $all" "${words[@]}" --protocols ''
	refused "$name/protocols-long" "--protocols 'x+'.* $all" "${words[@]}" --protocols "$(printf 'x%.0s' {1..500})"
	both='--protocols.*--without requests'
	refused "$name/protocols-without-requests" "$both" "${words[@]}" --protocols http --without requests
	refused "$name/without-requests-protocols" "$both" "${words[@]}" --without io,requests --protocols http,redis
	perfbpf "$name" --help
	for option in --without --protocols --syscalls; do
		check "$name/help$option" 'not in --help' grep -qE "^ +$option\b" "$OUT"
	done
done

need_bpf

# programs: the names of those that were loaded in the last result.
programs() { value '[.rounds[0].observer.programs[].name] | join(" ")'; }

# leaves_out NAME OPTION-VALUE FIELDS NO-PROGRAMS LATENCIES: with --without, these FIELDS of a
# round are null, no program's name and no latency's begins with any of these, and all else is there.
leaves_out() {
	local name=without/$1 field others=(requests time io)
	rm -f "$WORK/truth.json"
	measure "$name" --without "$2" --target "$TRUTH/burn 2 0.3 --truth $WORK/truth.json" || return
	for field in "${others[@]}"; do
		if [[ " $3 " == *" $field "* ]]; then
			holds "$name/$field-is-null" ".rounds[0] | has(\"$field\") and .$field == null"
		else
			holds "$name/$field-is-there" ".rounds[0].$field | type == \"object\""
		fi
	done
	if [[ -n $4 ]]; then
		equal "$name/programs" "$(programs | tr ' ' '\n' | grep -E "^($4)" | tr '\n' ' ')" ''
	fi
	equal "$name/latencies" "$(value '.rounds[0].latency | keys[]' | grep -E "^($5)" | tr '\n' ' ')" ''
	# What perfbpf is for stays.
	within "$name/cpu" "$(value '.rounds[0].cpu.total_seconds')" "$(value .cpu_seconds "$WORK/truth.json")" 0.5 0.002
	holds "$name/memory" '.rounds[0] | .memory.rss_peak_bytes > 0 and .validity.valid'
	nothing_lost "$name"
}

requests='queue|service|response|round_trip'
time='run_queue|wait_'
io='block_|fsync'
if measure with-all --target "$TRUTH/burn 2 0.3"; then
	all=$(programs)
	holds with-all/fields '.rounds[0] | .requests != null and .time != null and .io != null'
	holds with-all/no-syscalls '(.rounds[0].syscalls // []) == []'
	equal with-all/no-syscall-programs "$(tr ' ' '\n' <<<"$all" | grep ^syscall_)" ''
fi
leaves_out requests requests 'requests' 'socket_arrival|socket_sweep' "$requests"
leaves_out time time 'time' 'sched_woken' "$time"
leaves_out io io 'io' 'io_' "$io"
leaves_out two time,io 'time io' 'sched_woken|io_' "$time|$io"
leaves_out twice time,time 'time' 'sched_woken' "$time"
if leaves_out all requests,time,io 'requests time io' 'io_|sched_woken|syscall_|socket_arrival|socket_sweep' "$requests|$time|$io"; then
	# Fewer programs, and none that is not there with all of it.
	check without/all/fewer-programs "$(programs)" test "$(programs | wc -w)" -lt "$(wc -w <<<"$all")"
	equal without/all/no-others "$(comm -23 <(programs | tr ' ' '\n' | sort) <(tr ' ' '\n' <<<"$all" | sort))" ''
	holds without/all/no-thread-times '.rounds[0] | (.threads == []) and
		([.processes[].time.wall_seconds?] | all(. == null))'
	check without/all/report 'a section of what was left out' \
		sh -c '! grep -qE "^(Where the time went|How long each wait was|Storage, )" "$0"' "$DIR/report.txt"
fi

if measure syscalls --syscalls --target "$TRUTH/syscalls 300 20 --truth $WORK/truth.json"; then
	holds syscalls/filled '.rounds[0].syscalls | length > 3'
	equal syscalls/getppid "$(value '.rounds[0].syscalls[] | select(.name == "getppid") | "\(.count) \(.errors)"')" '300 0'
	holds syscalls/each-is-whole '.rounds[0].syscalls | all((.name | test("^[a-z]")) and .count > 0 and
		.errors <= .count and .total_seconds >= 0 and .latency.count == .count and .latency.max_seconds <= .total_seconds * 1.01)'
	check syscalls/programs "$(programs)" grep -qw 'syscall_enter' <(programs)
	check syscalls/report 'getppid is not in the report' grep -qE '^getppid +300\b' "$DIR/report.txt"
fi
# Both can be had together.
if measure both --syscalls --without requests,time,io --target "$TRUTH/syscalls 300 20 --truth $WORK/truth.json"; then
	equal both/getppid "$(value '.rounds[0].syscalls[] | select(.name == "getppid") | .count')" 300
	holds both/left-out '.rounds[0] | .requests == null and .time == null and .io == null'
fi
