# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What stacks cost: a sample, the tools around it, and what is made of it afterwards. Read by bench.sh.
# shellcheck disable=SC2154

us() { number '%.2f us' "$1 / 1000"; }

# The same 30 frames, sampled by each; the observed program keeps frame pointers for those who need them.
cost_of_a_sample() {
	local ours theirs beside='bpftrace skipped'
	in_turns stacks '--freq 499' "$ROOT/build/bench/deep 30 2" "bpftrace $ROOT/tools/bench/stacks.bt PID" || return
	ours=$(ns_of profile_oncpu "$work/stacks.ours-ns")
	if [[ -s $work/stacks.bpftrace-ns ]]; then
		theirs=$(ns_of 499 "$work/stacks.bpftrace-ns")
		[[ -n $theirs ]] && beside="bpftrace, by frame pointers: $(us "$theirs") (all CPUs' samples, others' too)"
	fi
	[[ -n $ours ]] && row 'a sample of 30 frames, by CFI: profile_oncpu' "$(us "$ours")" '<= 15 us' "$beside"
	ours=$(ns_of profile_offcpu "$work/stacks.ours-ns")
	[[ -n $ours ]] && row "a task of the machine's in a look at what waits: profile_offcpu" "$ours ns" '-' '-'
	row 'samples complete to the start of the thread' \
		"$(value stacks '.rounds[0].profile.oncpu | "\(.complete) of \(.samples)"')" '>= 95 %' '-'
}

# Whole tools at 99 samples a second on the same busy program, 5 s.
cost_of_profiling() {
	local pid cpu size beside=() profile
	run flames --rounds 1 --freq 99 --target "$ROOT/build/bench/deep 30 5" || return
	run noflames --rounds 1 --profile none --target "$ROOT/build/bench/deep 30 5" || return
	profile=$(stat -c %s "$work/flames/stacks.json.gz")
	if have perf; then
		"$ROOT/build/bench/deep" 30 6 &
		pid=$!
		rm -f "$work/perf.data"
		# Its own CPU, as the shell's clock of children has it.
		cpu=$({ TIMEFORMAT='%U %S'; time perf record -q -e cpu-clock -F 99 --call-graph dwarf -p "$pid" \
			-o "$work/perf.data" -- sleep 5 >/dev/null 2>&1; } 2>&1 | awk 'END { print $1 + $2 }')
		size=$(stat -c %s "$work/perf.data" 2>/dev/null || echo 0)
		wait "$pid"
		beside+=("perf record --call-graph dwarf: $(number '%.2f %%' "$cpu / 5 * 100"), before it reports")
	else
		beside+=('perf skipped: not installed')
	fi
	row 'own CPU with stacks, names and graphs' \
		"$(number '%.2f %%' "$(value flames '.rounds[0] | .observer.userspace_cpu_seconds / .window_seconds * 100')")" '-' \
		"$(joined "--profile none: $(number '%.2f %%' "$(value noflames '.rounds[0] | .observer.userspace_cpu_seconds / .window_seconds * 100')")" "${beside[@]}")"
	row 'own resident set with stacks' "$(mib "$(value flames '.rounds[0].observer.rss_peak_bytes')")" '<= 40 MB' \
		"--profile none: $(mib "$(value noflames '.rounds[0].observer.rss_peak_bytes')")"
	row 'size of the stacks (stacks.json.gz)' "$(number '%.1f KiB' "$profile / 1024")" '-' \
		"${size:+perf.data: $(mib "$size")}"
}

# The largest library that is here.
largest_library() {
	find /usr/lib /usr/local/lib -xdev -type f -name '*.so*' -size +20M -printf '%s %p\n' 2>/dev/null |
		sort -rn | awk 'NR == 1 { print $2 }'
}

cost_of_files() {
	local file result
	file=$(largest_library)
	if [[ -z $file ]]; then
		row 'rows of a large binary' 'skipped: no library over 20 MB here' '<= 1 s' '-'
		file=$perfbpf
	fi
	result=$("$ROOT/build/bench/rows" "$file") || return
	row "rows of $(basename "$file"), $(mib "$(jq .file_bytes <<<"$result")")" \
		"$(jq -r '"\(.seconds * 1000 | round) ms, \(.rows) rows"' <<<"$result")" '<= 1 s for 100 MB' '-'
	result=$("$ROOT/build/bench/symbolize" "$file") || return
	row "names of 100,000 stacks of 30 frames in it" \
		"$(jq -r '"\((.load_seconds + .resolve_seconds) * 1000 | round) ms, \(.symbols) symbols"' <<<"$result")" '<= 2 s' '-'
}
