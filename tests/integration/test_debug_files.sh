#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Programs that were stripped, whose names are in files beside them, as packages of debug symbols have them:
# by build id below /usr/lib/debug, and by a link. And those of the C library's own package.
# lane: shared
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stacks.sh"
need_bpf
need_command objcopy strip readelf unshare
REAL=$PERFBPF
LENGTH=1

# with_debug_root: from now on perfbpf has $WORK/root instead of /usr/lib/debug, where that is one.
with_debug_root() {
	mkdir -p "$WORK/root"
	cat >"$WORK/perfbpf" <<-END
		#!/bin/sh
		exec unshare -m sh -c 'mount --bind "$WORK/root" /usr/lib/debug && exec "\$0" "\$@"' "$REAL" "\$@"
	END
	chmod 755 "$WORK/perfbpf"
	[[ -d /usr/lib/debug ]] || return
	PERFBPF=$WORK/perfbpf
}

# stripped NAME: $WORK/NAME/stack_tree has no names, $WORK/NAME/debug has nothing but them.
stripped() {
	mkdir -p "$WORK/$1"
	strip -o "$WORK/$1/stack_tree" "$TRUTH/stack_tree" &&
		objcopy --only-keep-debug "$TRUTH/stack_tree" "$WORK/$1/debug"
}

look() {
	rm -f "$T"
	measure "$1" --profile oncpu --freq 999 --target "$WORK/$1/stack_tree $LENGTH --truth $T" &&
		stacks_read "$1"
}

# all_named NAME: what the program with all its names has.
all_named() {
	complete "$1" oncpu stack_tree 99
	equal "$1/unknown" "$(sum oncpu stack_tree '[[]unknown[]] [(]stack_tree')" 0
	shares "$1" stack_tree 2.5
	chain "$1" stack_tree alpha_left 'main;turn;alpha;alpha_left'
	chain "$1" stack_tree beta_inner 'main;turn;beta;beta_inner;shared'
}

# Without them nothing has a name: that is what the others are to be told from.
if stripped none && look none; then
	equal none/no-names "$(sum oncpu stack_tree ';(main|turn|alpha);')" 0
fi

if stripped by-link && (
	cd "$WORK/by-link" && mv debug stack_tree.debug &&
		objcopy --remove-section .note.gnu.build-id --add-gnu-debuglink=stack_tree.debug stack_tree
) && look by-link; then
	all_named by-link
fi

id=$(readelf -n "$TRUTH/stack_tree" | awk '/Build ID:/ { print $3 }')
if [[ -z $id ]]; then
	skip by-build-id 'the compiler gives no build ids'
elif ! with_debug_root; then
	skip by-build-id 'there is no /usr/lib/debug'
elif stripped by-build-id; then
	mkdir -p "$WORK/root/.build-id/${id:0:2}"
	mv "$WORK/by-build-id/debug" "$WORK/root/.build-id/${id:0:2}/${id:2}.debug"
	look by-build-id && all_named by-build-id
	PERFBPF=$REAL
fi

# qsort() of glibc works in functions of its own, which only its package of debug symbols names.
libc=$(ldd "$TRUTH/stack_tree" | awk '/libc\.so/ { print $3 }')
id=$(readelf -n "$libc" 2>/dev/null | awk '/Build ID:/ { print $3 }')
if [[ -z $id || ! -e /usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug ]]; then
	skip libc 'the debug symbols of the C library are not installed (libc6-dbg)'
elif measure libc --profile oncpu --freq 999 --target "$TRUTH/stack_tree $LENGTH --truth $T" && stacks_read libc; then
	equal libc/unknown "$(sum oncpu stack_tree '[[]unknown[]] [(]libc')" 0
	between libc/internal "$(sum oncpu stack_tree ';gamma_sorts;.*;(msort_with_tmp|introsort)[^;]*;')" 5 1e9 0
fi
