#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# check-kernels.sh [KERNEL | TEST]...
#
# Boots Debian's kernels under QEMU and runs integration tests there, the same scripts as
# `make check` does; with arguments only on the KERNELs, or only the TESTs, that are named
# (`check-kernels.sh 6.1 truth_cpu`). No KVM, no root and nothing installed is needed: the
# machine is emulated, kernels are unpacked from Debian's packages below build/kernels, and
# the disk is an image with the programs of this machine in it.
#
# Prints one line a case (`ok KERNEL/NAME`, `FAIL KERNEL/NAME: why`, `skip KERNEL/NAME: why`)
# and at the end `N passed, N failed, N skipped`. Ends in 1 where anything failed.
# What a kernel and its tests' standard error had to say stays in build/kernels/KERNEL/*.log.
#
# Each kernel is booted twice, both of them side by side:
#   clock  one CPU, whose clock counts instructions (QEMU's -icount). The machine is slow, but by
#          its own clock it is not: neither emulation nor the load of the host makes any
#          time longer, and all bounds of the tests hold as they are.
#   smp    two CPUs that truly run at the same time, in real time: what is counted must be
#          right, what is timed is not looked at.
set -u

cd "$(dirname "$0")/.." || exit 1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

KERNELS=(6.1 6.12)
# Tests beside all test_truth_*.sh. Those of SMP are run with two CPUs, the others with the clock.
MORE_TESTS=(window syscalls doctor)
SMP_TESTS=(truth_bytes cleanup)
# Host seconds: how long a machine may say nothing, and how long one boot with all its tests may take.
QUIET_LIMIT=${QUIET_LIMIT:-600}
BOOT_LIMIT=${BOOT_LIMIT:-2400}
# shellcheck disable=SC2034
CLOCK_QEMU=(-smp 1 -icount 'shift=1')
# shellcheck disable=SC2034
SMP_QEMU=(-smp 2 -accel 'tcg,thread=multi')

# The programs in the machine: all of these packages, and these commands.
PACKAGES=(coreutils grep sed procps util-linux mount)
COMMANDS=(bash awk busybox jq find getent)
OPTIONAL_COMMANDS=(curl strace cmp diff hostname)

cache=build/kernels
root=$cache/root
disk=$cache/disk.img

say() { printf 'check-kernels: %s\n' "$*" >&2; }

# --- kernels -------------------------------------------------------------------

# packages_of KERNEL: names of its packages that apt knows, the newest first.
packages_of() {
	apt-cache search --names-only "^linux-image-${1//./\\.}\\." |
		grep -oE "^linux-image-${1//./\\.}\.[0-9][^ ]*-cloud-amd64(-unsigned)?" |
		sort -rVu
}

# unpack_kernel PACKAGE FOLDER: the kernel of PACKAGE becomes FOLDER/vmlinuz.
unpack_kernel() {
	local package=$1 folder=$2 temporary status=1
	temporary=$(mktemp -d "$folder/download.XXXXXX") || return
	if (cd "$temporary" && timeout 300 apt-get download -q -o APT::Sandbox::User=root "$package") >&2 &&
		dpkg-deb --fsys-tarfile "$temporary"/*.deb |
		tar -x -C "$temporary" --wildcards './boot/vmlinuz-*' &&
		mv "$temporary"/boot/vmlinuz-* "$folder/vmlinuz"; then
		printf '%s\n' "$package" >"$folder/package"
		status=0
	fi
	rm -rf "$temporary"
	return "$status"
}

# get_kernel KERNEL: build/kernels/KERNEL/vmlinuz, once it is there, stays.
get_kernel() {
	local folder=$cache/$1 package updated
	mkdir -p "$folder"
	[[ -s $folder/vmlinuz && -s $folder/package ]] && return
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return
	for updated in no yes; do
		# A list may be missing, or older than what the mirror has.
		if [[ $updated == yes ]]; then
			if ((EUID == 0)); then
				apt-get update -q >&2
			else
				sudo -n apt-get update -q >&2
			fi
		fi
		for package in $(packages_of "$1" | head -n 2); do
			unpack_kernel "$package" "$folder" && return
		done
	done
	return 1
}

# --- the disk -----------------------------------------------------------------

# place FILE [AS]: a copy at the same path of the machine's disk.
place() {
	install -D "$(realpath "$1")" "$root${2:-$1}"
}

programs() {
	local name
	dpkg -L "${PACKAGES[@]}" 2>/dev/null | grep -E '^(/usr)?/s?bin/.'
	for name in "${COMMANDS[@]}" "${OPTIONAL_COMMANDS[@]}"; do
		command -v "$name"
	done
}

# libraries FILE...: what they are linked with, and what libc loads when a thread is cancelled.
libraries() {
	ldd "$@" 2>/dev/null | grep -oE '/[^ ]+\.so[^ ]*' | grep -v ':$'
	ls /lib*/*/libgcc_s.so.1 2>/dev/null
}

fill_root() {
	local file files=()
	rm -rf "$root"
	mkdir -p "$root"/{usr/{bin,sbin,lib,lib64},etc,proc,sys,dev,tmp,run,root,perfbpf/build} || return
	for file in bin sbin lib lib64; do
		ln -s "usr/$file" "$root/$file"
	done
	while IFS= read -r file; do
		[[ -f $file && -x $file ]] && files+=("$file")
	done < <(programs | sort -u)
	for file in "${files[@]}" $(libraries "${files[@]}" build/perfbpf build/truth/* | sort -u); do
		place "$file" || return
	done
	ln -sf bash "$root/usr/bin/sh"
	# jq 1.6 takes as long to start as perfbpf needs for a run: most of the time would be its.
	if command -v gojq >/dev/null; then
		place "$(command -v gojq)" "$(command -v jq)"
	fi
	printf 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n' \
		>"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
	printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
	printf 'passwd: files\ngroup: files\nhosts: files\n' >"$root/etc/nsswitch.conf"
	cp -r build/perfbpf build/truth "$root/perfbpf/build/" &&
		cp -r tests scenarios tools "$root/perfbpf/" &&
		install tests/kernels/init.sh "$root/init"
}

make_disk() {
	rm -f "$disk"
	fill_root && mke2fs -q -t ext4 -E root_owner=0:0 -d "$root" "$disk" 512M >/dev/null && rm -rf "$root"
}

# --- booting ------------------------------------------------------------------

# relay KERNEL FILE: what a machine reports, shown as it comes and kept in FILE. One that has
# hung is switched off.
relay() {
	local line status
	while IFS= read -r -t "$QUIET_LIMIT" line || { status=$? && false; }; do
		line=${line%$'\r'}
		case $line in
		ok\ * | FAIL\ * | skip\ *) line="${line%% *} $1/${line#* }" ;;
		'# '*) line="$1: ${line#\# }" ;;
		esac
		printf '%s\n' "$line" >>"$2"
		[[ $line == begin\ * || $line == 'done' ]] || printf '%s\n' "$line"
	done
	if ((status > 128)); then
		echo quiet >>"$2"
		kill "$(cat "$cache/$1/pid")"
	fi
}

# boot KERNEL MODE TEST...: adds to build/kernels/KERNEL/results.
boot() {
	local kernel=$1 mode=$2 folder=$cache/$1 log results status why
	local -n qemu_of_mode=${mode^^}_QEMU
	shift 2
	log=$folder/console.log
	[[ $mode == clock ]] || log=$folder/console-$mode.log
	results=$folder/report-$mode
	rm -f "$log" "$results" "$folder/pid"
	: >"$results"
	timeout --foreground -k 5 "$BOOT_LIMIT" qemu-system-x86_64 -cpu max -m 1024 -nodefaults \
		-display none -monitor none -no-reboot -pidfile "$folder/pid" "${qemu_of_mode[@]}" \
		-kernel "$folder/vmlinuz" -append "console=ttyS0 loglevel=5 panic=-1 oops=panic \
root=/dev/nvme0n1 rw init=/init perfbpf.mode=$mode perfbpf.tests=$(IFS=,; printf '%s' "$*")" \
		-drive "file=$disk,if=none,id=disk,format=raw,snapshot=on" -device nvme,drive=disk,serial=1 \
		-serial "file:$log" -serial stdio </dev/null 2>"$folder/qemu.err" | relay "$kernel" "$results"
	status=${PIPESTATUS[0]}
	rm -f "$folder/pid"
	grep -E '^(ok|FAIL|skip) ' "$results" >>"$folder/results"
	if ! grep -qx 'done' "$results"; then
		why="qemu ended with status $status"
		((status == 124 || status == 137)) && why="did not end within $BOOT_LIMIT s"
		grep -qx quiet "$results" && why="said nothing for $QUIET_LIMIT s"
		grep -q 'Kernel panic' "$log" 2>/dev/null && why=$(grep -m 1 -o 'Kernel panic.*' "$log")
		printf 'FAIL %s/%s: %s, in %s; the last line: %s\n' "$kernel" "$mode" "$why" \
			"$(sed -n 's/^begin //p' "$results" | tail -n 1 | grep . || echo 'its start')" \
			"$(cat "$folder/qemu.err" "$log" 2>/dev/null | tr -d '\r\0' | grep . | tail -n 1)" |
			tee -a "$folder/results"
	fi
	grep -qx 'done' "$results" && ! grep -q ^FAIL "$results" && return
	{
		printf -- '--- %s\n' "$log"
		tail -n 60 "$log" | tr -d '\r'
		cat "$folder/qemu.err"
	} >&2
}

# check_kernel KERNEL
check_kernel() {
	local kernel=$1 begin=$SECONDS
	if ! get_kernel "$kernel"; then
		printf "skip %s/all: Debian's package of this kernel cannot be had here\n" "$kernel" |
			tee "$cache/$kernel/results"
		return
	fi
	: >"$cache/$kernel/results"
	((${#smp_tests[@]} == 0)) || boot "$kernel" smp "${smp_tests[@]}"
	((${#clock_tests[@]} == 0)) || boot "$kernel" clock "${clock_tests[@]}"
	printf '%s: %s took %d s\n' "$kernel" "$(cat "$cache/$kernel/package")" $((SECONDS - begin))
}

# shellcheck disable=SC2317
end_machines() {
	local kernel pid
	trap - EXIT
	((${#started[@]})) && kill "${started[@]}" 2>/dev/null
	for kernel in "${kernels[@]}"; do
		pid=$(cat "$cache/$kernel/pid" 2>/dev/null) && kill "$pid" 2>/dev/null
	done
}

# --- what is asked for --------------------------------------------------------

kernels=() clock_tests=() smp_tests=() started=()

# choose ARGUMENT...: fills these three.
choose() {
	local argument script all=() tests=()
	for script in tests/integration/test_truth_*.sh; do
		script=${script##*/test_}
		all+=("${script%.sh}")
	done
	for argument in "$@"; do
		if [[ $argument =~ ^[0-9]+\.[0-9]+$ ]]; then
			kernels+=("$argument")
		elif [[ -e tests/integration/test_$argument.sh ]]; then
			tests+=("$argument")
		else
			say "'$argument' is neither a kernel (like ${KERNELS[0]}) nor one of tests/integration"
			exit 2
		fi
	done
	((${#kernels[@]})) || kernels=("${KERNELS[@]}")
	((${#tests[@]})) || mapfile -t tests < <(printf '%s\n' "${all[@]}" "${MORE_TESTS[@]}" "${SMP_TESTS[@]}" | sort -u)
	for argument in "${tests[@]}"; do
		if [[ " ${SMP_TESTS[*]} " == *" $argument "* ]]; then
			smp_tests+=("$argument")
		else
			clock_tests+=("$argument")
		fi
	done
}

# missing: why no machine can be started here; nothing where one can.
missing() {
	local name
	[[ $(uname -m) == x86_64 ]] || echo "the machine is emulated on x86_64 only, this is $(uname -m)"
	for name in qemu-system-x86_64 mke2fs "${COMMANDS[@]}"; do
		command -v "$name" >/dev/null || echo "there is no $name on PATH (tools/install-deps.sh kernels)"
	done
}

# finish RESULTS...: the last line.
finish() {
	local passed failed skipped
	passed=$(cat "$@" | grep -c '^ok ')
	failed=$(cat "$@" | grep -c '^FAIL ')
	skipped=$(cat "$@" | grep -c '^skip ')
	if ((failed + skipped > 0)); then
		echo
		cat "$@" | grep -E '^(FAIL|skip) '
	fi
	printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
	((failed == 0))
}

main() {
	local kernel why results

	choose "$@"
	mkdir -p "$cache" || exit 1
	exec 9>"$cache/lock"
	flock -n 9 || { say "another one is at work in $cache, waiting for it"; flock 9; }
	results=("${kernels[@]/#/$cache/}")
	results=("${results[@]/%//results}")
	for kernel in "${kernels[@]}"; do
		mkdir -p "$cache/$kernel"
		: >"$cache/$kernel/results"
	done

	printf '%s: the kernel of this machine; its tests are those of make check\n' "$(uname -r)"
	why=$(missing | head -n 1)
	if [[ -n $why ]]; then
		for kernel in "${kernels[@]}"; do
			printf 'skip %s/all: %s\n' "$kernel" "$why" | tee "$cache/$kernel/results"
		done
	elif ! [[ -x build/perfbpf && -d build/truth ]]; then
		printf 'FAIL all: build/perfbpf or build/truth is not built (make all truth)\n' |
			tee "${results[0]}"
	elif ! make_disk; then
		printf 'FAIL all: cannot make the disk of the machines\n' | tee "${results[0]}"
	else
		trap end_machines EXIT
		trap 'exit 130' INT
		trap 'exit 143' TERM
		# Side by side: the clock of a machine does not go by the load of the host.
		for kernel in "${kernels[@]}"; do
			check_kernel "$kernel" &
			started+=($!)
		done
		wait
		started=()
	fi
	finish "${results[@]}"
}

# All of this file is read before anything is done: it may be changed meanwhile.
main "$@"
exit
