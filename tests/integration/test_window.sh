#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# While a window is open, perfbpf reads nothing under /proc/PID/: strace watches it.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf
need_command strace

trace=$WORK/trace
# strace follows no children here: those are the side.
watch() {
	new_folder
	PERFBPF_TEST_MARK=$MARK timeout -k 10 60 strace -y -s 256 -o "$trace" \
		-e trace=open,openat,openat2,read,pread64,readlink,readlinkat,write "$PERFBPF" "$@" \
		--debug -o "$DIR" >"$OUT" 2>"$ERR" </dev/null 3>&-
	RC=$?
}

# looked_up: lines between the opening and closing that touch /proc/PID/ (or a PID below /proc).
looked_up() {
	awk '/write\(2.*window open/ { open = 1 }
		/write\(2.*window closed/ { open = 0; windows++ }
		open && (/"\/proc\/[0-9]+/ || /<\/proc\/[0-9]+\/[^>]*>/ || /<\/proc>, "[0-9]+/) { print }
		END { print windows + 0 > "/dev/stderr" }' "$trace" 2>"$WORK/windows"
}

quiet_window() {
	local name=$1 wanted=$2 lines
	lines=$(looked_up)
	equal "$name/exit" "$RC" 0
	equal "$name/windows-seen" "$(cat "$WORK/windows")" "$wanted"
	if [[ -z $lines ]]; then
		ok "$name"
	else
		fail "$name" "$(printf '%s\n' "$lines" | wc -l) look-ups, the first: ${lines%%$'\n'*}"
	fi
}

if ! strace -o /dev/null true 2>/dev/null; then
	skip_all 'strace may not trace here'
fi
watch run --target "$TRUTH/children $(scaled 100 20) 5" --vs "$TRUTH/burn 2 0.6" --rounds 1
quiet_window command 2

"$TRUTH/attachee" 2 2 --truth "$WORK/truth" "$MARK" </dev/null 3>&- >/dev/null &
started+=($!)
sleep 0.2
watch attach $! --duration 600ms
quiet_window attach 1
kill -TERM "${started[-1]}"

if [[ -z ${PERFBPF_TEST_EMULATED:-} ]] && command -v curl >/dev/null; then
	watch run --target curl --scenario kubelogs/basic --rounds 1 --warmup 300ms --duration 1s --cooldown 0
	quiet_window scenario 1
fi
