#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Files that perfbpf may not open with the rights of who called it, or that are not where their
# paths say: they are read all the same where they are mapped, and nothing else is.
# lane: shared
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stacks.sh"
need_bpf
need_command setpriv
nobody_can_reach "$PERFBPF" || skip_all 'user nobody cannot reach the build folder'

mkdir -m 777 "$WORK/open"
chmod 777 "$WORK/open"
mkdir -m 700 "$WORK/closed"

# attach_as_nobody NAME: one second of OTHER, as by sudo of user nobody.
attach_as_nobody() {
	DIR=$WORK/open/$1
	export SUDO_UID=$NOBODY SUDO_GID=$NOBODY
	perfbpf attach "$OTHER" --quiet -o "$DIR" --duration 1s --profile oncpu --freq 499
	unset SUDO_UID SUDO_GID
	equal "$1/exit" "$RC" 0
	equal "$1/owner" "$(stat -c %u "$DIR/run.json")" "$NOBODY"
	stacks_read "$1"
}

# has_names NAME PROCESS: its stacks are whole, with the names of the program.
has_names() {
	complete "$1" oncpu "$2" 98
	chain "$1" "$2" alpha_left 'main;turn;alpha;alpha_left'
	between "$1/alpha" "$(sum oncpu "$2" ';main;turn;alpha;')" \
		"$(value '.rounds[0].profile.oncpu.samples * 0.4')" \
		"$(value '.rounds[0].profile.oncpu.samples * 0.6')" 0
	equal "$1/notes" "$(value '[.notes[] | select(test("could not be read"))] | join(", ")')" ''
}

# runs PROGRAM: does OTHER?
runs() { [[ $(readlink "/proc/$OTHER/exe") == "$1" ]]; }

# start_program PROGRAM ARGUMENT...: until it runs.
start_program() {
	start_other "$@"
	wait_for 5 runs "$1"
}

# --- root's own program, which its user may not read
install -m 700 "$TRUTH/stack_tree" "$WORK/closed/own"
start_program "$WORK/closed/own" 4
attach_as_nobody sudo-0700 && has_names sudo-0700 own

# --- deleted, and another program in its place
cp "$TRUTH/stack_tree" "$WORK/deleted"
start_program "$WORK/deleted" 4
rm "$WORK/deleted"
cp "$TRUTH/stack_frames" "$WORK/deleted"
attach_as_nobody sudo-deleted && has_names sudo-deleted deleted

# --- in a container: its files are in layers, the one that runs was replaced in the upper one
mkdir -p "$WORK/lower/tmp" "$WORK/layers" "$WORK/container"
cp "$TRUTH/stack_frames" "$WORK/lower/inner"
cat >"$WORK/contain" <<-END
	mount -t tmpfs none "$WORK/layers" && mkdir "$WORK/layers/upper" "$WORK/layers/work" &&
		mount -t overlay none -o "lowerdir=$WORK/lower,upperdir=$WORK/layers/upper,workdir=$WORK/layers/work" \
			"$WORK/container" || exit 77
	chmod 700 "$WORK/container/inner"
	cat "$TRUTH/stack_tree" >"$WORK/container/inner"
	exec "$WORK/container/inner" 5
END
start_other unshare -m sh "$WORK/contain"
if wait_for 3 runs "$WORK/container/inner"; then
	attach_as_nobody sudo-layers && has_names sudo-layers inner
else
	skip sudo-layers 'layers cannot be mounted here'
fi

# --- in a chroot, where paths are others
mkdir "$WORK/root" && cp "$TRUTH/stack_tree" "$WORK/root/inner" && chmod 700 "$WORK/root/inner"
for library in $(ldd "$TRUTH/stack_tree" | grep -o '/[^ ]*'); do
	mkdir -p "$WORK/root${library%/*}" && cp -L "$library" "$WORK/root$library"
done
start_other chroot "$WORK/root" /inner 4
if wait_for 3 runs "$WORK/root/inner"; then
	attach_as_nobody sudo-chroot && has_names sudo-chroot inner
else
	skip sudo-chroot 'the program does not run in a chroot'
fi

# --- what a run-time compiler tells is not for everybody, or not the compiler's
if [[ $(uname -m) == x86_64 ]]; then
	start_program "$TRUTH/stack_jit" 4 --map
	wait_for 5 test -s "/tmp/perf-$OTHER.map"
	chmod 600 "/tmp/perf-$OTHER.map"
	attach_as_nobody sudo-map &&
		chain sudo-map stack_jit burn 'main;jit_outer_\[j\];jit_inner with a space_\[j\];burn'
	chown "$NOBODY" "/tmp/perf-$OTHER.map"
	attach_as_nobody sudo-map-of-another &&
		equal sudo-map-of-another/names "$(sum oncpu stack_jit ';jit_outer_')" 0
	rm -f "/tmp/perf-$OTHER.map"
fi

# --- under sudo, as a side: it is started by path, and can be executed but not read
install -m 711 "$TRUTH/stack_tree" "$WORK/open/unreadable"
export SUDO_UID=$NOBODY SUDO_GID=$NOBODY
DIR=$WORK/open/side
perfbpf run --quiet --rounds 1 -o "$DIR" --profile oncpu --freq 499 --target "$WORK/open/unreadable 1"
unset SUDO_UID SUDO_GID
equal sudo-side/exit "$RC" 0
stacks_read sudo-side && has_names sudo-side unreadable

# --- without any right to read it: its stacks end there, and that is told, once
DIR=$WORK/open/without
timeout 60 setpriv --reuid="$NOBODY" --regid="$NOBODY" --clear-groups \
	--inh-caps=+bpf,+perfmon,+sys_admin --ambient-caps=+bpf,+perfmon "$PERFBPF" \
	run --quiet --rounds 2 -o "$DIR" --profile oncpu --freq 499 --target "$WORK/open/unreadable 1" \
	>"$OUT" 2>"$ERR" </dev/null 3>&-
equal without/exit "$?" 0
if stacks_read without; then
	equal without/complete "$(awk -F'\t' '$7 == "unreadable" && $2 == "complete" && $8 ~ /unreadable\+/ {
		print $8 }' "$DIR/lines" | head -n 1)" ''
	equal without/notes "$(value '[.notes[] | select(test("open/unreadable of process [0-9]+ could not be read: Permission denied"))] | length')" 1
	equal without/by-frame-pointer "$(of_profile oncpu by_frame_pointer)" 0
fi
