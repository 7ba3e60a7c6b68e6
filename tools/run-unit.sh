#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run-unit.sh BINARY...
#
# Runs cmocka binaries from the root of the repository and prints one line for each
# test case: `ok NAME`, `FAIL NAME: why` or `skip NAME: why`. Root gives its rights up for
# them: unit tests need none. UNIT_LIMIT is the time limit of a binary, UNIT_PREFIX is
# put before the names. As many run at a time as there are CPUs. Ends in 1 where anything failed.
set -u

cd "$(dirname "$0")/.." || exit 1
. tools/lanes.sh
limit=${UNIT_LIMIT:-120s}
prefix=${UNIT_PREFIX-unit/}
as_nobody=()

give_up_rights() {
	local nobody
	((EUID == 0)) || return
	nobody=$(id -u nobody 2>/dev/null) && command -v setpriv >/dev/null || return
	as_nobody=(setpriv "--reuid=$nobody" "--regid=$nobody" --clear-groups --inh-caps=-all
		--bounding-set=-all env HOME=/nonexistent)
	"${as_nobody[@]}" test -x "$1" && return
	echo 'run-unit: user nobody cannot reach the tests, so they run as root' >&2
	as_nobody=()
}

# tap_lines NAME END < TAP: a line for each case. END says how the binary ended, where not well.
tap_lines() {
	awk -v name="$1" -v end="$2" '
		function flush() {
			if (pending == "") return
			if (bad) fail("/" pending, why == "" ? "failed" : why)
			else print "ok " name "/" pending
			pending = ""
		}
		function fail(what, reason) { failed++; print "FAIL " name what ": " reason }
		/^1\.\.[0-9]+$/ { planned = substr($0, 4) + 0; next }
		/^(# )?skip: / { sub(/^(# )?skip: /, ""); reason = $0; next }
		/^not ok [0-9]+ # SKIP/ {
			flush(); seen++
			sub(/^not ok [0-9]+ # SKIP */, "")
			print "skip " name "/" $0 ": " (reason == "" ? "no reason given" : reason)
			reason = ""; next
		}
		/^(not )?ok [0-9]+ - / {
			flush(); seen++
			bad = /^not/; sub(/^(not )?ok [0-9]+ - /, ""); pending = $0; why = ""; next
		}
		/^# .*error: Failure!/ { sub(/: *$/, "", $2); if (bad) why = why " at " $2; next }
		/^# / { if (bad && why == "") why = substr($0, 3) }
		END {
			flush()
			if (planned == "") fail("", end == "" ? "ran no test" : end)
			else if (seen < planned) fail("", planned - seen " of " planned " tests did not run: " end)
			else if (end != "" && !failed) fail("", end)
			exit failed > 0
		}'
}

run_binary() {
	local binary=$1 name=$prefix${1##*/} log status end=
	log=$(mktemp) || exit 1
	CMOCKA_MESSAGE_OUTPUT=tap timeout -k 5 "$limit" "${as_nobody[@]}" "$binary" \
		>"$log" 2>&1 </dev/null
	status=$?
	case $status in
	0) ;;
	124) end="did not end within $limit" ;;
	*) end="ended with status $status" ;;
	esac
	tap_lines "$name" "$end" <"$log"
	# What a failure said, for the reader of the log.
	((status == 0)) || grep -v '^ok ' "$log" | head -n 60 >&2
	rm -f "$log"
}

(($# > 0)) && give_up_rights "$1"
in_lanes "$(nproc)" run_binary "$@"
