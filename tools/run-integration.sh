#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run-integration.sh [NAME...]
#
# Runs tests/integration/test_NAME.sh (all of them, where none is named) and prints what
# they report: `ok NAME`, `FAIL NAME: why` or `skip NAME: why`, one line a case. A script
# ends in 0, in 77 where it was skipped as a whole, else it failed. INTEGRATION_LIMIT is
# the time limit of a script. Ends in 1 where anything failed.
#
# Scripts with the line `# lane: shared` in their head do not mind others beside them: they come
# first, INTEGRATION_LANES (2) at a time, and are shown in the order of their names. Then those with
# `# lane: single`, one at a time. The others measure times to a few per cent: each of them has the machine
# for itself, once nothing of tools/check-kernels.sh runs.
set -u

cd "$(dirname "$0")/.." || exit 1
. tools/lanes.sh
limit=${INTEGRATION_LIMIT:-300s}
lanes=${INTEGRATION_LANES:-2}
machines=build/kernels/lock
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# run_script NAME: prints its cases. What went wrong is a FAIL in $work/NAME.results, and how long it
# took is in $work/NAME.seconds.
run_script() {
	local name=$1 results=$work/$1.results log=$work/$1.log status failed='' begin=$EPOCHREALTIME
	printf -- '--- %s\n' "$name" >&2
	timeout -k 20 "$limit" bash "tests/integration/test_$name.sh" 2>"$log" </dev/null |
		tee "$results" | sed -un "/^\(ok\|FAIL\|skip\) /s//\1 $name\//p; /^# /p"
	status=${PIPESTATUS[0]}
	if grep -q '^FAIL ' "$results"; then
		:
	elif ((status == 124)); then
		failed="did not end within $limit"
	elif ((status != 0 && status != 77)); then
		failed="ended with status $status: $(tail -n 1 "$log")"
	elif ! grep -qE '^(ok|skip) ' "$results"; then
		failed='reported nothing'
	fi
	[[ -z $failed ]] || printf 'FAIL %s: %s\n' "$name" "$failed" | tee -a "$results"
	((status == 0 || status == 77)) || tail -n 80 "$log" >&2
	awk -v begin="$begin" -v end="$EPOCHREALTIME" -v name="$name" \
		'BEGIN { printf "%.1f %s\n", end - begin, name }' >"$work/$name.seconds"
}

run_one_by_one() {
	local name
	for name in "${single[@]}"; do
		run_script "$name"
	done
	((${#alone[@]})) || return
	if [[ -e $machines ]]; then
		exec 9<"$machines"
		flock -n 9 || { echo "--- waiting for tools/check-kernels.sh, which has $machines" >&2 && flock 9; }
	fi
	for name in "${alone[@]}"; do
		run_script "$name" 9<&-
	done
}

shared=() single=() alone=()
if (($# == 0)); then
	set -- tests/integration/test_*.sh
	set -- "${@#tests/integration/test_}"
	set -- "${@%.sh}"
fi
for name in "$@"; do
	case $(head -n 20 "tests/integration/test_$name.sh" 2>/dev/null | sed -n 's/^# lane: //p') in
	shared) shared+=("$name") ;;
	single) single+=("$name") ;;
	*) alone+=("$name") ;;
	esac
done
in_lanes "$lanes" run_script "${shared[@]}"
run_one_by_one

if (($# > 1)); then
	printf '# the slowest, in seconds: %s\n' \
		"$(sort -rn "$work"/*.seconds | head -n 10 | awk '{ printf("%s%s %s", (NR > 1 ? ", " : ""), $2, $1) }')"
fi
! grep -q '^FAIL ' "$work"/*.results
