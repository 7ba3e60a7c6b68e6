#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# check.sh [STAGE...]
#
# All tests, or those of the stages that are named: build style unit asan fuzz integration.
# Prints one line a case (`ok NAME`, `FAIL NAME: why`, `skip NAME: why`) and at the end
# `N passed, N failed, N skipped`. Ends in 1 where anything failed. Every stage has a time
# limit. CHECK_FUZZ_SECONDS (8) is how long each fuzzer runs.
set -u

cd "$(dirname "$0")/.." || exit 1
results=$(mktemp) || exit 1
log=$(mktemp) || exit 1
trap 'rm -f "$results" "$log"' EXIT
jobs=-j$(nproc)

report() { tee -a "$results"; }

# step NAME COMMAND...: one case that passes where COMMAND does.
step() {
	local name=$1
	shift
	if "$@" >"$log" 2>&1; then
		printf 'ok %s\n' "$name" | report
		return 0
	fi
	tail -n 60 "$log" >&2
	printf 'FAIL %s: %.300s\n' "$name" "$(grep -m 1 -iE 'error:|failed:' "$log" || tail -n 1 "$log")" | report
	return 1
}

# cases NAME COMMAND...: COMMAND reports cases itself, among other things that it prints.
cases() {
	local name=$1 before after status
	shift
	before=$(grep -c . "$results")
	"$@" | tee "$log" | grep --line-buffered -E '^(ok|FAIL|skip|#) ' | report
	status=${PIPESTATUS[0]}
	after=$(grep -c . "$results")
	if ((status != 0)) && ! tail -n +$((before + 1)) "$results" | grep -q ^FAIL; then
		tail -n 40 "$log" >&2
		printf 'FAIL %s: ended with status %s after %s cases\n' "$name" "$status" \
			$((after - before)) | report
	fi
}

skip() { printf 'skip %s: %s\n' "$1" "$2" | report; }

spdx_everywhere() {
	local file missing=0
	while IFS= read -r file; do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: ' && continue
		echo "error: no SPDX line at the top of $file"
		missing=1
	done < <(git ls-files '*.c' '*.h' '*.sh' '*.yaml' '*.yml' Makefile .ci/run | grep -v '^tests/fuzz/corpus/')
	return "$missing"
}

stage_build() {
	step build timeout 600 make -s "$jobs" WERROR=1 all truth
	step build/static timeout 120 make -s "$jobs" WERROR=1 static-dist
}

stage_style() {
	if ! git rev-parse --git-dir >/dev/null 2>&1; then
		skip style/spdx 'not a git work tree'
		skip style/format 'not a git work tree'
	else
		step style/spdx spdx_everywhere
		if command -v clang-format >/dev/null; then
			step style/format timeout 120 make -s fmt-check
		else
			skip style/format 'there is no clang-format'
		fi
	fi
}

stage_unit() {
	cases unit timeout 900 make "$jobs" WERROR=1 unit
}

stage_asan() {
	UNIT_PREFIX=asan/ cases asan timeout 900 make "$jobs" unit-asan
}

stage_fuzz() {
	cases fuzz timeout 1200 tools/run-fuzz.sh "${CHECK_FUZZ_SECONDS:-8}"
}

stage_integration() {
	if [[ ! -x build/perfbpf ]]; then
		printf 'FAIL integration: there is no build/perfbpf\n' | report
		return
	fi
	cases integration timeout 2700 tools/run-integration.sh
}

(($# > 0)) || set -- build style unit asan fuzz integration
for stage in "$@"; do
	if ! declare -F "stage_$stage" >/dev/null; then
		echo "check: no stage '$stage'; there are: build style unit asan fuzz integration" >&2
		exit 2
	fi
	printf -- '=== %s\n' "$stage" >&2
	"stage_$stage"
done

passed=$(grep -c '^ok ' "$results")
failed=$(grep -c '^FAIL ' "$results")
skipped=$(grep -c '^skip ' "$results")
if ((failed + skipped > 0)); then
	echo
	grep -E '^(FAIL|skip) ' "$results"
fi
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((failed == 0 && passed > 0))
