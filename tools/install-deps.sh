#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# install-deps.sh [build] [test] [kernels] [demo] [bench]
#
# Installs from Debian's packages what is missing for these purposes (build, where
# none is named), and only that: on a complete machine nothing is asked of the network.
# Works as root without sudo and as a user with it; otherwise it says what to install.
# What build and demo need must be there at the end; what is only of use to single
# tests or comparisons may be missing, and those are then skipped with the reason.
set -u

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
missing=()
missing_optional=()

say() { printf 'install-deps: %s\n' "$*" >&2; }

is_installed() {
	[[ $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) == 'install ok installed' ]]
}

# want [--optional] PACKAGE COMMAND...: PACKAGE is missing unless it is installed or COMMAND
# finds what is wanted of it, which may have come from elsewhere.
want() {
	local optional=0 package
	if [[ $1 == --optional ]]; then
		optional=1
		shift
	fi
	package=$1
	shift
	is_installed "$package" && return
	"$@" >/dev/null 2>&1 && return
	if ((optional)); then
		missing_optional+=("$package")
	else
		missing+=("$package")
	fi
}

have_command() { command -v "$1"; }
have_library() { command -v pkg-config && pkg-config --exists "$1"; }
have_file() { [[ -e $1 ]]; }
# Is the archive there, or is it none that linking libdw statically needs?
have_archive() {
	local libraries
	compgen -G "/usr/lib/*/lib$1.a" ||
		{ libraries=$(pkg-config --static --libs libdw) && [[ " $libraries " != *" -l$1 "* ]]; }
}
have_fuzzer() {
	command -v clang && [[ -e $(clang -print-runtime-dir)/libclang_rt.fuzzer-$(uname -m).a ]]
}
have_postgres() { command -v postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres'; }
never() { false; }

clang_major() {
	local version
	version=$(clang -dumpversion 2>/dev/null) || version=14
	printf '%s\n' "${version%%.*}"
}

for_build() {
	want clang have_command clang
	want llvm have_command llvm-strip
	want bpftool have_command bpftool
	want gcc have_command gcc
	want make have_command make
	want pkg-config have_command pkg-config
	want libc6-dev have_file /usr/include/stdio.h
	want linux-libc-dev have_file /usr/include/linux/bpf.h
	want libbpf-dev have_library libbpf
	want libelf-dev have_library libelf
	want libdw-dev have_library libdw
	want liblzma-dev have_library liblzma
	want libiberty-dev have_file /usr/include/libiberty/demangle.h
	want zlib1g-dev have_library zlib
	want libyaml-dev have_library yaml-0.1
	want libjansson-dev have_library jansson
	want libcap-dev have_library libcap
	want libcurl4-openssl-dev have_library libcurl
	# Of report.html, which has no interactive charts without it.
	want --optional libjs-dygraphs have_file /usr/share/javascript/dygraphs/dygraph.min.js
	# Each for one driver, which is left out without it.
	want --optional libpq-dev have_library libpq
	want --optional librdkafka-dev have_library rdkafka
	# What libdw may need in turn where it is linked statically (make static).
	want --optional libbz2-dev have_archive bz2
	want --optional libzstd-dev have_archive zstd
}

for_test() {
	want libcmocka-dev have_library cmocka
	want jq have_command jq
	want curl have_command curl
	want procps have_command pgrep
	want --optional git have_command git
	want --optional clang-format have_command clang-format
	want --optional "libclang-rt-$(clang_major)-dev" have_fuzzer
	want --optional strace have_command strace
	want --optional bsdutils have_command script
	want --optional kubernetes-client have_command kubectl
	# Real servers and their load generators; tests start their own, in folders of their own.
	want --optional nginx-light have_command nginx
	want --optional wrk have_command wrk
	want --optional redis-tools have_command redis-benchmark
	want --optional postgresql have_postgres
	# What reads and shows flame graphs, and a profiler to compare with.
	want --optional chromium have_command chromium
	want --optional chromium-driver have_command chromedriver
	want --optional libxml2-utils have_command xmllint
	want --optional python3 have_command python3
	want --optional python3-jsonschema never
	# What reads exports, besides.
	want --optional python3-prometheus-client never
	want --optional hyperfine have_command hyperfine
	want --optional python3-yaml never
	want --optional linux-perf have_command perf
	want --optional g++ have_command g++
	# What the suites of the five systems run on, and what faults are made of.
	want --optional stress-ng have_command stress-ng
	want --optional etcd-server have_command etcd
	want --optional etcd-client have_command etcdctl
	want --optional mariadb-server have_command mariadbd
	want --optional redis-server have_command redis-server
	want --optional python3-psycopg2 never
	want --optional python3-pymysql never
	want --optional python3-redis never
}

for_kernels() {
	want --optional qemu-system-x86 have_command qemu-system-x86_64
	want --optional busybox-static have_command busybox
	want --optional e2fsprogs have_command mke2fs
	want --optional gojq have_command gojq
}

for_demo() {
	want curl have_command curl
	# It conflicts with a kubectl from elsewhere, which stays.
	want kubernetes-client have_command kubectl
}

for_bench() {
	want jq have_command jq
	want curl have_command curl
	want --optional sysstat have_command pidstat
	want --optional linux-perf have_command perf
	want --optional bpftrace have_command bpftrace
	want --optional libbpf-tools never
	want --optional nginx-light have_command nginx
	want --optional wrk have_command wrk
}

# as_root COMMAND...
as_root() {
	if ((EUID == 0)); then
		env DEBIAN_FRONTEND=noninteractive "$@"
	else
		sudo env DEBIAN_FRONTEND=noninteractive "$@"
	fi
}

cannot_install() {
	say "$1"
	say "install these yourself, then try again: ${missing[*]} ${missing_optional[*]}"
	say "on Debian: apt-get install --no-install-recommends ${missing[*]} ${missing_optional[*]}"
	((${#missing[@]} == 0)) && exit 0
	exit 1
}

install_missing() {
	local package available=()

	command -v apt-get >/dev/null || cannot_install 'there is no apt-get here'
	((EUID == 0)) || command -v sudo >/dev/null || cannot_install 'not root, and there is no sudo'
	say "missing: ${missing[*]} ${missing_optional[*]}"
	if ! as_root apt-get update -q; then
		say 'apt-get update failed, once more'
		sleep 2
		as_root apt-get update -q || say 'the package lists may be old'
	fi
	for package in "${missing_optional[@]}"; do
		if apt-cache show "$package" >/dev/null 2>&1; then
			available+=("$package")
		else
			say "no package $package: what needs it will be skipped"
		fi
	done
	((${#missing[@]} + ${#available[@]} == 0)) && return
	as_root apt-get install -q -y --no-install-recommends "${missing[@]}" "${available[@]}" && return
	# One that cannot be had must not keep the others away.
	for package in "${available[@]}"; do
		as_root apt-get install -q -y --no-install-recommends "$package" ||
			say "cannot install $package: what needs it will be skipped"
	done
	((${#missing[@]} == 0)) && return
	as_root apt-get install -q -y --no-install-recommends "${missing[@]}" ||
		cannot_install 'apt-get failed'
}

(($# == 0)) && set -- build
for purpose in "$@"; do
	case $purpose in
	build) for_build ;;
	test) for_test ;;
	kernels) for_kernels ;;
	demo) for_demo ;;
	bench) for_bench ;;
	*)
		say "what is '$purpose'? It is one of: build test kernels demo bench"
		exit 2
		;;
	esac
done
((${#missing[@]} + ${#missing_optional[@]} == 0)) && exit 0
install_missing
