#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Makes vmlinux/ARCH/vmlinux.h: of all kernel types, what the BPF programs use, and
# nothing else, so that it can be read and its changes reviewed. CO-RE moves the fields
# to where the running kernel has them, so the header need not match it.
#
#   vmlinux/make.sh                          from the running kernel, for its architecture
#   vmlinux/make.sh arm64 FILE               from another: FILE is raw BTF, a vmlinux, or a
#                                            kernel image that holds BTF (Debian's arm64 Image)
#
# The kernel is to be 6.2 or later; what older ones have otherwise is in the *.bpf.h, each with
# the commit that changed it.
#
# How: the whole header is dumped, the programs are compiled against it, bpftool keeps
# the types and fields that their relocations name, and that is dumped again.
set -eu

ARCH=${1:-$(uname -m | sed 's/aarch64/arm64/')}
SOURCE=${2:-/sys/kernel/btf/vmlinux}
ROOT=$(cd "$(dirname "$0")/.." && pwd)
BPFTOOL=${BPFTOOL:-$(command -v bpftool || echo /usr/sbin/bpftool)}
CLANG=${CLANG:-clang}
# Enumerators that the programs use without a relocation; their whole enum is kept.
ENUMERATORS='MM_FILEPAGES PIDTYPE_TGID'

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

# A kernel image has its BTF somewhere inside: find the header (magic 0xeb9f, version 1,
# flags 0, length 24) and cut out what it says is its length.
extract_btf() {
	case $(head -c 4 "$1" | od -An -tx1 | tr -d ' ') in
	9feb0100) cp "$1" "$2"; return ;;
	7f454c46) objcopy -O binary --only-section=.BTF --set-section-flags .BTF=alloc "$1" "$2"; return ;;
	esac
	LC_ALL=C grep -obUaP '\x9f\xeb\x01\x00\x18\x00\x00\x00' "$1" | cut -d: -f1 |
	while read -r offset; do
		str_off=$(od -An -tu4 -j $((offset + 16)) -N 4 "$1" | tr -d ' ')
		str_len=$(od -An -tu4 -j $((offset + 20)) -N 4 "$1" | tr -d ' ')
		# The kernel's own, not a program's that is embedded in it.
		[ "$str_len" -gt 100000 ] || continue
		tail -c +$((offset + 1)) "$1" | head -c $((24 + str_off + str_len)) >"$2"
		break
	done
	[ -s "$2" ] || { echo "make.sh: no BTF found in $1" >&2; exit 1; }
}

# The enum block that holds an enumerator.
print_enum() {
	awk -v name="$1" '
		/^(typedef )?enum( [a-z_]+)? \{$/ { block = ""; inside = 1 }
		inside { block = block $0 "\n" }
		inside && /^}/ { inside = 0; if (block ~ ("\t" name "[ ,]")) { printf "%s\n", block; exit } }
	' "$2"
}

extract_btf "$SOURCE" "$WORK/whole.btf"
mkdir "$WORK/include"
"$BPFTOOL" btf dump file "$WORK/whole.btf" format c >"$WORK/include/vmlinux.h"

case $ARCH in x86_64) target=x86 ;; *) target=$ARCH ;; esac
for source in "$ROOT"/bpf/*.bpf.c; do
	"$CLANG" -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$target -Wno-missing-declarations \
		-I"$ROOT/bpf" -I"$WORK/include" -idirafter "/usr/include/$(uname -m)-linux-gnu" \
		-c "$source" -o "$WORK/$(basename "$source" .c).o"
done
"$BPFTOOL" gen min_core_btf "$WORK/whole.btf" "$WORK/used.btf" "$WORK"/*.bpf.o

mkdir -p "$ROOT/vmlinux/$ARCH"
{
	cat <<EOF
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel types that the BPF programs use, for $ARCH. Made by vmlinux/make.sh;
 * do not edit. What belongs to the kernel's interface with programs comes from its
 * own headers.
 */
#ifndef PERFBPF_VMLINUX_H
#define PERFBPF_VMLINUX_H

#include <linux/types.h>
#include <linux/bpf.h>
#include <stdbool.h>

typedef __u8 u8;
typedef __s8 s8;
typedef __u16 u16;
typedef __s16 s16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef __s64 s64;

EOF
	for name in $ENUMERATORS; do
		print_enum "$name" "$WORK/include/vmlinux.h"
	done
	# Without padding (CO-RE finds the fields), the guard, and what the kernel's headers have.
	"$BPFTOOL" btf dump file "$WORK/used.btf" format c |
		sed -e '/^#ifndef __VMLINUX_H__$/d' -e '/^#define __VMLINUX_H__$/d' \
			-e '/^#endif \/\* __VMLINUX_H__ \*\/$/d' \
			-e '/^\t*\(long\|int\|short\|char\): [0-9]*;$/d' \
			-e '/^typedef .* \(__\)\?[us]\(8\|16\|32\|64\);$/d' -e '/^typedef _Bool bool;$/d' |
		cat -s
	echo '#endif'
} >"$WORK/vmlinux.h"
mv "$WORK/vmlinux.h" "$ROOT/vmlinux/$ARCH/vmlinux.h"
echo "vmlinux/$ARCH/vmlinux.h: $(wc -l <"$ROOT/vmlinux/$ARCH/vmlinux.h") lines"
