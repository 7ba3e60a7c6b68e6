#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Faults against getrusage, resident set against the kernel's own high-water mark.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf
looks_not_at requests
T=$WORK/truth.json

truth() { value "$1" "$T"; }
# The row of the process that did the work.
worker() { value ".rounds[0].processes[] | select(.pid == $(truth .pid)) | $1"; }

if measure pages --target "$TRUTH/pages 10000 --truth $T"; then
	within pages "$(value '.rounds[0].memory.minor_faults')" "$(truth .minor_faults)" 0.5
	within pages/major "$(value '.rounds[0].memory.major_faults')" "$(truth .major_faults)" 0.5 1
fi
# In a child that is a member from its first instruction on.
if measure pages-in-child --target "$TRUTH/pages 10000 --fork --truth $T"; then
	within pages-in-child "$(worker .minor_faults)" "$(truth .minor_faults)" 0.2
fi

# Cold reads need a disk: a folder in memory has no cache to drop.
cold() {
	local name=$1
	shift
	measure "$name" --target "$TRUTH/mapfile $* --dir $ROOT/build --fork --truth $T" || return
	if (($(truth .here_major_faults) == 0)); then
		skip "$name" 'the build folder is not on a disk: nothing was read cold'
		return
	fi
	within "$name/major" "$(worker .major_faults)" "$(truth .major_faults)" 0.5 1
	within "$name/minor" "$(worker .minor_faults)" "$(truth .minor_faults)" 0.5 8
	within "$name/side" "$(value '.rounds[0].memory | .minor_faults + .major_faults')" \
		"$(value '[.rounds[0].processes[] | .minor_faults + .major_faults] | add')" 0.1
}
PAGES=$(scaled 4000 1000)
cold mapped-file "$PAGES"
[[ -n ${PERFBPF_TEST_EMULATED:-} ]] || cold mapped-file-with-read-ahead "$PAGES" --sequential

MIB=$(scaled 256 64)
if measure memory --target "$TRUTH/memory $MIB 0.6 --truth $T"; then
	within memory/peak "$(value '.rounds[0].memory.rss_peak_bytes')" "$(truth .rss_peak_bytes)" 1
	within memory/peak-of-process "$(worker .rss_peak_bytes)" "$(truth .rss_peak_bytes)" 1
	within memory/virtual-peak "$(value '.rounds[0].memory.vms_peak_bytes')" \
		"$(truth .vms_peak_bytes)" 1
	within memory/series-full "$(value '[.rounds[0].series.rss_bytes[] | numbers] | max')" \
		"$(truth .rss_full_bytes)" 1
	# After the full plateau there are ticks on the half one.
	half=$(truth .rss_half_bytes)
	holds memory/series-falls "[.rounds[0].series.rss_bytes[] | numbers] | (index(max)) as \$at |
		[.[\$at:][] | select((. - $half | fabs) < 0.02 * $half)] | length >= 3"
	holds memory/average-is-between ".rounds[0].memory.rss_avg_bytes |
		. > $half * 0.9 and . < $(truth .rss_full_bytes)"
	holds memory/anon ".rounds[0].memory | .rss_anon_peak_bytes > $MIB * 1048576 * 0.99 and
		.rss_anon_peak_bytes <= .rss_peak_bytes"
fi
