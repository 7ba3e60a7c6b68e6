# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What the integration tests share. A test is a script test_NAME.sh that begins with
#     . "$(dirname "$0")/lib.sh"
# and reports each case on its standard output in one line: `ok NAME`, `FAIL NAME: why`
# or `skip NAME: why`. Its exit status is 0, 1 where a case failed, 77 where all of
# it was skipped. Lines that begin with `# ` are remarks for the reader. All else goes to standard
# error, which is shown where something failed.
set -u

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$ROOT" || exit 1
PERFBPF=${PERFBPF:-$ROOT/build/perfbpf}
TRUTH=$ROOT/build/truth
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
WORK=$(mktemp -d "${TMPDIR:-/tmp}/perfbpf-test.XXXXXX") || exit 1
chmod 755 "$WORK"
# A word for the command lines of what a test starts, to find it again.
MARK=mark-$$-$RANDOM$RANDOM
NOBODY=$(id -u nobody 2>/dev/null || echo 65534)
exec 3>&1 1>&2

# shellcheck disable=SC2034
RC=0 OUT=$WORK/out ERR=$WORK/err DIR=
failures=0
reported=0
started=()
serial=0

ok() {
	reported=$((reported + 1))
	printf 'ok %s\n' "$1" >&3
}

fail() {
	if [[ -n ${EXCUSE:-} ]]; then
		skip "$1" "$EXCUSE: ${2//$'\n'/ | }"
		return
	fi
	reported=$((reported + 1))
	failures=$((failures + 1))
	printf 'FAIL %s: %s\n' "$1" "${2//$'\n'/ | }" >&3
}

skip() {
	reported=$((reported + 1))
	printf 'skip %s: %s\n' "$1" "$2" >&3
}

skip_all() {
	skip all "$1"
	exit 77
}

# check NAME WHY COMMAND...: a case that passes where COMMAND does.
check() {
	local name=$1 why=$2
	shift 2
	if "$@" >/dev/null; then
		ok "$name"
	else
		fail "$name" "$why"
		return 1
	fi
}

finish() {
	local status=$? pid
	trap - EXIT
	# First what ends in order where it is asked to.
	if declare -F cleanup >/dev/null; then
		cleanup
	fi
	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null
	done
	end_marked
	rm -rf "$WORK"
	((status == 77)) && exit 77
	((status != 0)) && exit "$status"
	((failures == 0)) || exit 1
	exit 0
}
trap finish EXIT
trap 'exit 124' TERM
trap 'exit 130' INT

# --- what this machine gives ---------------------------------------------------

has_capability() {
	local effective
	effective=$(awk '/^CapEff/ { print $2 }' /proc/self/status)
	(((0x$effective >> $1) & 1))
}

need_root() {
	((EUID == 0)) || skip_all "needs root, this is user $(id -un)"
}

# CAP_PERFMON is 38, CAP_BPF 39, CAP_SYS_ADMIN 21.
need_bpf() {
	need_root
	has_capability 21 || { has_capability 38 && has_capability 39; } ||
		skip_all 'needs CAP_BPF and CAP_PERFMON, which root does not have here'
	[[ -e /sys/kernel/btf/vmlinux ]] || skip_all 'this kernel has no BTF'
}

need_command() {
	local name
	for name in "$@"; do
		command -v "$name" >/dev/null || skip_all "there is no $name on PATH"
	done
}

# Commands run by user nobody must be able to reach what was built.
nobody_can_reach() {
	setpriv "--reuid=$NOBODY" "--regid=$NOBODY" --clear-groups test -r "$1" 2>/dev/null
}

as_nobody() {
	setpriv "--reuid=$NOBODY" "--regid=$NOBODY" --clear-groups --inh-caps=-all \
		env HOME=/nonexistent "$@"
}

# kernel_has NAME: a tracepoint that BPF can be put on.
kernel_has() {
	grep -qa "btf_trace_$1" /sys/kernel/btf/vmlinux
}

# free_port: a port of 127.0.0.1 that nobody listens on.
free_port() {
	local port
	for _ in {1..50}; do
		port=$((20000 + RANDOM % 12000))
		(exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	printf '%s\n' "$port"
}

answers_at() { (exec 9<>"/dev/tcp/127.0.0.1/$1"); }

# What all CPUs have worked, in ticks; but for what is nice, which takes nothing from others.
busy_ticks() {
	awk '/^cpu / { print $2 + $4 + $7 + $8 }' /proc/stat
}

# machine_is_quiet: does nobody else want the CPUs now? Where others do, times of programs are
# those of their waiting for a CPU, which is as it should be, but no truth to compare with.
# In an emulated machine there is nobody else.
machine_is_quiet() {
	local before
	[[ -z ${PERFBPF_TEST_EMULATED:-} ]] || return 0
	before=$(busy_ticks)
	sleep 0.3
	# 15 % of all CPUs
	(($(busy_ticks) - before < $(getconf CLK_TCK) * $(nproc) * 45 / 1000))
}

# look_for_quiet: waits a little for it; QUIET is yes where it came.
look_for_quiet() {
	QUIET=no
	wait_for 5 machine_is_quiet && QUIET=yes
}

# excused_unless_quiet CASE...: a case of how fast something was. Where it fails, and the machine was
# not quiet before, it is skipped: it says more of the others there than of perfbpf.
excused_unless_quiet() {
	local EXCUSE=
	[[ ${QUIET:-no} == yes ]] || EXCUSE='others keep this machine busy'
	"$@"
}

# scaled FULL EMULATED: how much of something; an emulated machine, where all takes long, does with less.
scaled() {
	[[ -z ${PERFBPF_TEST_EMULATED:-} ]] && printf '%s\n' "$1" || printf '%s\n' "$2"
}

# --- running perfbpf -----------------------------------------------------------

# perfbpf ARGUMENT...: runs it to its end; RC, $OUT and $ERR are what came of it.
perfbpf() {
	PERFBPF_TEST_MARK=$MARK timeout -k 10 "$((${LIMIT:-60} * $(scaled 1 5)))" "$PERFBPF" "$@" \
		>"$OUT" 2>"$ERR" </dev/null 3>&-
	RC=$?
	((RC == 0)) || printf 'perfbpf %s: exit %s\n%s\n' "$*" "$RC" "$(tail -n 20 "$ERR")" >&2
	return 0
}

# What is left out of each measure(). An emulated kernel takes a second to verify a large program, and half
# of all that is to be verified is about stacks: they are looked at by the tests of stacks, and all
# programs are verified, loaded and attached by test_doctor.sh.
LEFT_OUT=()
[[ -z ${PERFBPF_TEST_EMULATED:-} ]] || LEFT_OUT=(--profile none)

# looks_not_at PART: a test that has no case about it; an emulated machine leaves it out.
looks_not_at() {
	[[ -z ${PERFBPF_TEST_EMULATED:-} ]] || LEFT_OUT+=(--without "$1")
}

# new_folder: DIR is a results folder that does not exist yet.
new_folder() {
	serial=$((serial + 1))
	DIR=$WORK/result-$serial
}

# measure NAME ARGUMENT...: `perfbpf run` into a new folder. A case that fails where it does.
measure() {
	local name=$1
	shift
	new_folder
	perfbpf run --quiet --rounds 1 "${LEFT_OUT[@]}" -o "$DIR" "$@"
	if ((RC != 0)); then
		fail "$name" "exit $RC: $(error_line)"
		return 1
	fi
	if ! [[ -s $DIR/run.json ]]; then
		fail "$name" 'no run.json was written'
		return 1
	fi
}

# start_perfbpf ARGUMENT...: runs it in the background as process PID.
start_perfbpf() {
	: >"$ERR"
	PERFBPF_TEST_MARK=$MARK "$PERFBPF" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- &
	PID=$!
	started+=("$PID")
}

# start_other COMMAND...: runs it in the background as process OTHER; ended with the test.
start_other() {
	PERFBPF_TEST_MARK=$MARK "$@" </dev/null >/dev/null 3>&- &
	OTHER=$!
	started+=("$OTHER")
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds. An emulated machine may take five times as long.
wait_for() {
	local end=$((SECONDS + $1 * $(scaled 1 5)))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		sleep 0.02
	done
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

# wait_end SECONDS: until PID has ended; RC is its exit status. It is killed where it does not.
wait_end() {
	if ! wait_for "$1" is_zombie_or_gone "$PID"; then
		kill -KILL "$PID"
		wait "$PID" 2>/dev/null
		RC=timeout
		return 1
	fi
	wait "$PID" 2>/dev/null
	RC=$?
}

is_zombie_or_gone() {
	local state
	state=$(ps -o stat= -p "$1" 2>/dev/null) || return 0
	[[ $state == Z* ]]
}

window_is_open() { grep -q 'window open' "$ERR"; }

error_line() { grep -m 1 '^perfbpf: ' "$ERR" || tail -n 1 "$ERR"; }

# curl_through NAME SHELL: writes $WORK/NAME.yaml, a target like curl, but what is run is a
# script of SHELL, in which "$@" are the arguments for curl.
curl_through() {
	local script=$WORK/$1.sh
	printf '#!/bin/sh\n%s\n' "$2" >"$script"
	chmod 755 "$script"
	sed "s|^\(command: *\[ *\)curl|\1$script|; s|^\( *- \)curl\$|\1$script|" \
		scenarios/targets/curl.yaml >"$WORK/$1.yaml"
	grep -qF "$script" "$WORK/$1.yaml" && return
	fail "$1" 'the test does not understand scenarios/targets/curl.yaml any more'
	return 1
}

# --- looking at what came out --------------------------------------------------

# value FILTER [FILE]: of run.json in DIR.
value() { jq -r "$1" "${2:-$DIR/run.json}"; }

# numbers ARRAY FILTER [FILE]: all numbers and words below FILTER, by their path ("latency.queue.count"):
# many values for the price of one. What is null is not there.
numbers() {
	# shellcheck disable=SC2034
	local -n into=$1
	local key word
	into=()
	while read -r key word; do
		# shellcheck disable=SC2004,SC2034
		into[$key]=$word
	done < <(value "$2 | paths(scalars) as \$p | \"\(\$p | join(\".\")) \(getpath(\$p))\"" "${@:3}")
}

# within NAME ACTUAL EXPECTED PERCENT [ABSOLUTE]: passes where ACTUAL is not farther from
# EXPECTED than the larger of both bounds.
within() {
	local text
	text=$(awk -v a="$2" -v e="$3" -v p="$4" -v b="${5:-0}" 'BEGIN {
		if (a !~ /^-?[0-9.]+([eE][-+]?[0-9]+)?$/ || e !~ /^-?[0-9.]+([eE][-+]?[0-9]+)?$/) {
			printf "%s is to be compared with %s", a == "" ? "nothing" : a, e == "" ? "nothing" : e
			exit
		}
		d = a - e; if (d < 0) d = -d
		m = (e < 0 ? -e : e) * p / 100; if (m < b) m = b
		if (d > m * (1 + 1e-12))
			printf "%.10g is not within %.6g of %.10g", a, m, e
	}')
	if [[ -z $text ]]; then
		ok "$1"
	else
		fail "$1" "$text"
	fi
}

# between NAME ACTUAL LOW HIGH PERCENT [ABSOLUTE]: passes where ACTUAL is not farther outside of
# LOW to HIGH than the larger of both bounds, of LOW and of HIGH.
between() {
	local nearest
	nearest=$(awk -v a="$2" -v l="$3" -v h="$4" 'BEGIN { print (a < l + 0 ? l : (a > h + 0 ? h : a)) }')
	if [[ $2 =~ ^-?[0-9.]+([eE][-+]?[0-9]+)?$ ]]; then
		within "$1" "$2" "$nearest" "$5" "${6:-0}"
	else
		fail "$1" "'$2' is to be between $3 and $4"
	fi
}

# equal NAME ACTUAL EXPECTED
equal() {
	if [[ $2 == "$3" ]]; then
		ok "$1"
	else
		fail "$1" "'$2' instead of '$3'"
	fi
}

# nothing_lost NAME. An emulated machine can be too slow to read all copies of stacks in time, where its
# one CPU is wanted by twenty threads: test_truth_stacks.sh alone looks at those there.
nothing_lost() {
	equal "$1/nothing-lost" \
		"$(value '[.rounds[0].observer.losses | to_entries[] | select(.value > 0 and (.key != "stacks" or '"$(
			[[ -z ${PERFBPF_TEST_EMULATED:-} || $0 == *stacks* ]] && echo true || echo false
		)"')) | "\(.key) \(.value)"] | join(", ")')" ''
}

# holds NAME FILTER: passes where the jq FILTER is true of run.json.
holds() {
	if [[ $(value "$2") == true ]]; then
		ok "$1"
	else
		fail "$1" "does not hold: $2"
	fi
}

# --- finding what was left behind ------------------------------------------------

# The PIDs of processes with the word MARK in their command line, or that descend from a
# perfbpf that was started here. (The words are given by stdin, or grep would find itself.)
# shellcheck disable=SC2062
marked_pids() {
	grep -lzxF -f - /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null \
		<<<"$MARK"$'\n'"PERFBPF_TEST_MARK=$MARK" | cut -d/ -f3 | sort -un
}

none_marked() { [[ -z $(marked_pids) ]]; }

end_marked() {
	local pid
	for pid in $(marked_pids); do
		kill -KILL "$pid" 2>/dev/null
	done
}

[[ -x $PERFBPF ]] || { fail perfbpf "there is no $PERFBPF"; exit 1; }
[[ -d $TRUTH ]] || { fail truth 'the truth programs are not built'; exit 1; }
command -v jq >/dev/null || skip_all 'there is no jq on PATH'
