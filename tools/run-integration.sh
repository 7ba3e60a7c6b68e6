#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run-integration.sh [NAME...]
#
# Runs tests/integration/test_NAME.sh (all of them, where none is named) and prints what
# they report: `ok NAME`, `FAIL NAME: why` or `skip NAME: why`, one line a case. A script
# ends in 0, in 77 where it was skipped as a whole, else it failed. INTEGRATION_LIMIT is
# the time limit of a script. Ends in 1 where anything failed.
set -u

cd "$(dirname "$0")/.." || exit 1
limit=${INTEGRATION_LIMIT:-300s}
failures=0

run_script() {
	local script=$1 name results log status
	name=${script##*/test_}
	name=${name%.sh}
	results=$(mktemp) && log=$(mktemp) || exit 1
	printf -- '--- %s\n' "$name" >&2
	timeout -k 20 "$limit" bash "$script" 2>"$log" </dev/null |
		tee "$results" | sed -un "/^\(ok\|FAIL\|skip\) /s//\1 $name\//p"
	status=${PIPESTATUS[0]}
	if grep -q '^FAIL ' "$results"; then
		failures=$((failures + 1))
	elif ((status == 124)); then
		printf 'FAIL %s: did not end within %s\n' "$name" "$limit"
		failures=$((failures + 1))
	elif ((status != 0 && status != 77)); then
		printf 'FAIL %s: ended with status %s: %s\n' "$name" "$status" "$(tail -n 1 "$log")"
		failures=$((failures + 1))
	elif ! grep -qE '^(ok|skip) ' "$results"; then
		printf 'FAIL %s: reported nothing\n' "$name"
		failures=$((failures + 1))
	fi
	((status == 0 || status == 77)) || tail -n 80 "$log" >&2
	rm -f "$results" "$log"
}

if (($# == 0)); then
	for script in tests/integration/test_*.sh; do
		run_script "$script"
	done
fi
for name in "$@"; do
	run_script "tests/integration/test_$name.sh"
done
((failures == 0))
