#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run-fuzz.sh [SECONDS] [NAME...]
#
# Builds each tests/fuzz/fuzz_NAME.c (all, where none is named) with the library under
# libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, and runs it for SECONDS
# (20) on a copy of tests/fuzz/corpus/NAME, so that what it finds stays out of the tree.
# Prints `ok NAME`, `FAIL NAME: why` or `skip NAME: why`. What crashed it is kept
# in build/fuzz/. As many run at a time as there are CPUs. Ends in 1 where anything failed.
set -u

cd "$(dirname "$0")/.." || exit 1
. tools/lanes.sh
seconds=20
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
	seconds=$1
	shift
fi
build=build/fuzz
sanitize=address,undefined
flags=(-O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
shopt -s nullglob
sources=(tests/fuzz/fuzz_*.c)
(($# > 0)) && sources=("${@/#/tests/fuzz/fuzz_}") && sources=("${sources[@]/%/.c}")

fail() {
	printf 'FAIL %s: %s\n' "$1" "$2"
}

skip_all() {
	local source
	for source in "${sources[@]}"; do
		printf 'skip fuzz/%s: %s\n' "$(name_of "$source")" "$1"
	done
	exit 0
}

name_of() {
	local name=${1##*/fuzz_}
	printf '%s\n' "${name%.c}"
}

can_fuzz() {
	local program
	program=$(mktemp) || return
	printf 'int LLVMFuzzerTestOneInput(const char *d, long n) { (void)d; (void)n; return 0; }' |
		clang -x c "-fsanitize=fuzzer,$sanitize" -o "$program" - 2>/dev/null
	local status=$?
	rm -f "$program"
	return "$status"
}

build_fuzzer() {
	local packages=(libbpf libdw libelf liblzma zlib yaml-0.1 jansson libcap)
	# shellcheck disable=SC2046
	clang -std=gnu11 -D_GNU_SOURCE -Isrc -Ibpf "-I$build" "${flags[@]}" \
		"-fsanitize=fuzzer,$sanitize" -o "$2" "$1" "$build/libperfbpf.a" \
		$(pkg-config --cflags --libs "${packages[@]}") -liberty -lpthread -lm
}

run_fuzzer() {
	local source=$1 name program work log lacks
	name=$(name_of "$source")
	# Of a driver that is not in the build there is nothing to fuzz.
	lacks=$(sed -n 's/^ \* needs: //p' "$source")
	if [[ -n $lacks ]] && ! pkg-config --exists "$lacks"; then
		printf 'skip fuzz/%s: the library %s is not here (pkg-config)\n' "$name" "$lacks"
		return
	fi
	program=$build/fuzz_$name
	log=$build/fuzz_$name.log
	# A driver that this machine lacks the headers for is not in the library.
	if [[ $name == drive_postgres* ]] && ! pkg-config --exists libpq; then
		printf 'skip fuzz/%s: there are no headers of libpq (libpq-dev)\n' "$name"
		return
	fi
	if ! build_fuzzer "$source" "$program" >"$log" 2>&1; then
		fail "fuzz/$name" "does not build: $(grep -m 1 error "$log")"
		return
	fi
	work=$(mktemp -d) || exit 1
	[[ -d tests/fuzz/corpus/$name ]] && cp -r "tests/fuzz/corpus/$name/." "$work"
	if timeout -k 5 $((seconds + 60)) "$program" "-max_total_time=$seconds" -timeout=10 \
		-rss_limit_mb=1024 "-artifact_prefix=$build/fuzz_$name-" -print_final_stats=1 \
		"$work" >"$log" 2>&1 </dev/null; then
		printf 'ok fuzz/%s\n' "$name"
		grep -m 1 number_of_executed_units "$log" >&2
	else
		fail "fuzz/$name" "$(grep -m 1 -E 'ERROR|runtime error|SUMMARY' "$log")"
		tail -n 40 "$log" >&2
	fi
	rm -rf "$work"
}

((${#sources[@]})) || exit 0
command -v clang >/dev/null || skip_all 'there is no clang'
can_fuzz || skip_all 'this clang has no libFuzzer (libclang-rt-*-dev)'
mkdir -p "$build"
if ! make "BUILD=$build" CC=clang WERROR=0 \
	"CFLAGS=${flags[*]} -Wno-conversion -fsanitize=fuzzer-no-link,$sanitize" \
	-j"$(nproc)" "$build/libperfbpf.a" >"$build/build.log" 2>&1; then
	tail -n 20 "$build/build.log" >&2
	fail fuzz "the library does not build: $(grep -m 1 error: "$build/build.log")"
	exit 1
fi
in_lanes "$(nproc)" run_fuzzer "${sources[@]}"
