#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# bench.sh [PART]...
#
# perfbpf's own figures in one table, each with its aim and beside it what a user would
# pick instead, measured in the same run and in turns. Needs root, and what `make bench` builds.
# What is not installed is named as skipped. About four minutes. BENCH_TURNS (3) is how often
# tools take turns, BENCH_PAIRS (20) how many slices of a server's throughput are compared.
# shellcheck disable=SC2016,SC2317
set -u

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
cd "$ROOT" || exit 1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
perfbpf=$ROOT/build/perfbpf
truth=$ROOT/build/truth
turns=${BENCH_TURNS:-3}
pairs=${BENCH_PAIRS:-20}
work=$(mktemp -d) || exit 1
chmod 755 "$work"
stats=/proc/sys/kernel/bpf_stats_enabled
stats_before=
rows=()
folders=("$work")
# All numbers with a point, times without the locale.
export LC_ALL=C S_TIME_FORMAT=ISO

say() { printf 'bench: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null; }
# row FIGURE PERFBPF AIM BESIDE
row() { rows+=("$1|$2|$3|$4"); }
number() { awk -v f="$1" "BEGIN { printf f, $2 }"; }

end() {
	local pid
	trap - EXIT
	for pid in $(jobs -p); do
		kill -KILL -- "$pid" "-$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	[[ -n $stats_before ]] && echo "$stats_before" >"$stats"
	rm -rf "${folders[@]}"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# run NAME ARGUMENT...: `perfbpf run` into $work/NAME.
run() {
	local name=$1
	shift
	rm -rf "${work:?}/$name"
	timeout -k 10 120 "$perfbpf" run --quiet -o "$work/$name" "$@" >"$work/out" 2>"$work/err" </dev/null && return
	local status=$?
	# An invalid run (96) has its figures too.
	((status == 96)) && return
	say "perfbpf run $*: exit $status: $(tail -n 1 "$work/err")"
	return "$status"
}
value() { jq -r "$2" "$work/$1/run.json"; }

# process_cpu PID: seconds of CPU so far (to 10 ms); process_rss PID: its peak in bytes.
process_cpu() { awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) / hz }' "/proc/$1/stat"; }
process_rss() { awk '/^VmHWM/ { print $2 * 1024 }' "/proc/$1/status"; }
mib() { number '%.1f MiB' "$1 / 1048576"; }
median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
# joined TEXT...: with semicolons between them.
joined() { printf '%s; ' "${@:--}" | sed 's/; $//'; }

. "$ROOT/tools/bench/peers.sh"
. "$ROOT/tools/bench/events.sh"
. "$ROOT/tools/bench/server.sh"
. "$ROOT/tools/bench/load.sh"
. "$ROOT/tools/bench/stacks.sh"
. "$ROOT/tools/bench/reports.sh"

# --- perfbpf's own cost ------------------------------------------------------------

own_cost() {
	local beside='skipped: no pidstat' beside_rss='skipped: no pidstat' pid cpu peer rss
	run own --rounds 1 --tick 100ms --target "$truth/burn 1 5" || return
	if have pidstat; then
		pidstat -u 1 >/dev/null 2>&1 </dev/null &
		pid=$!
		"$truth/burn" 1 5 >/dev/null
		cpu=$(process_cpu "$pid")
		beside="pidstat 1: $(number '%.2f %%' "$cpu / 5 * 100")"
		beside_rss="pidstat 1: $(mib "$(process_rss "$pid")")"
		kill -INT "$pid"
		wait "$pid" 2>/dev/null
	fi
	for peer in bpftrace runqlat; do
		rss=$(awk -v peer="$peer" '$1 == peer && $2 > m { m = $2 } END { print m }' "$work/peer-rss" 2>/dev/null)
		[[ -n $rss ]] && beside_rss+=", $peer: $(mib "$rss")"
	done
	row 'own CPU at ticks of 100 ms' \
		"$(number '%.2f %%' "$(value own '.rounds[0] | .observer.userspace_cpu_seconds / .window_seconds * 100')")" \
		'<= 0.5 % of a core' "$beside"
	row 'own resident set' "$(mib "$(value own '.rounds[0].observer.rss_peak_bytes')")" '<= 40 MB' "$beside_rss"
}

# first_line REGEX COMMAND...: milliseconds from its start to its first line like that.
first_line() {
	local regex=$1 begin line found=
	shift
	begin=${EPOCHREALTIME/./}
	while IFS= read -r line; do
		[[ -z $found && $line =~ $regex ]] && found=${EPOCHREALTIME/./}
	done < <(timeout 30 "$@" 2>&1 </dev/null)
	[[ -n $found ]] && number %.0f "($found - $begin) / 1000"
}

start_time() {
	local i ours=() theirs=() beside='skipped: no bpftrace'
	for ((i = 0; i < 5; i++)); do
		rm -rf "$work/start"
		ours+=("$(first_line 'window open' "$perfbpf" run --debug -o "$work/start" --target true)")
		have bpftrace && theirs+=("$(first_line '^attached' bpftrace -e \
			'BEGIN { printf("attached\n"); exit(); } software:cpu-clock:1000000 { @ = count(); }')")
	done
	((${#theirs[@]})) && beside="bpftrace, one small program: $(printf '%s\n' "${theirs[@]}" | grep . | median) ms"
	row 'start to first window' "$(printf '%s\n' "${ours[@]}" | grep . | median) ms" '<= 500 ms' "$beside"
}

# --- short children ----------------------------------------------------------------

# What `pidstat 1` showed of a program: the sum of %CPU over its one-second rows.
pidstat_seconds() {
	awk -v comm="$1" '/%CPU/ { for (i = 1; i <= NF; i++) if ($i == "%CPU") column = i; next }
		column && $NF == comm { s += $column / 100 } END { printf "%.4f", s }' "$2"
}

share() { number '%.1f %%' "$1 / $2 * 100"; }

short_children() {
	local pid true_seconds seen perf_seconds beside=()
	if have pidstat; then
		pidstat -u 1 >"$work/pidstat" 2>&1 </dev/null &
		pid=$!
		sleep 1.2
	fi
	run short --rounds 1 --target "$truth/children 2000 1 --truth $work/short.json" || return
	true_seconds=$(jq .cpu_seconds "$work/short.json")
	if have pidstat; then
		sleep 1.2
		kill -INT "$pid"
		wait "$pid" 2>/dev/null
		seen=$(pidstat_seconds children "$work/pidstat")
		beside+=("pidstat 1 sees $(share "$seen" "$true_seconds"), misses $(number '%.2f s' "$true_seconds - $seen")")
	else
		beside+=('skipped: no pidstat')
	fi
	if have perf && perf stat -x, -e task-clock -o "$work/perf" "$truth/children" 2000 1 \
		--truth "$work/perf.json" >/dev/null 2>&1; then
		perf_seconds=$(awk -F, '/task-clock/ { print $1 / 1000 }' "$work/perf")
		beside+=("perf stat $(share "$perf_seconds" "$(jq .cpu_seconds "$work/perf.json")")")
	else
		beside+=('skipped: no perf stat')
	fi
	row "CPU of 2,000 children of 1 ms ($(number '%.3f s' "$true_seconds") by getrusage)" \
		"$(number '%.4f s' "$(value short '.rounds[0].cpu.total_seconds')") = $(share "$(value short '.rounds[0].cpu.total_seconds')" "$true_seconds")" \
		'100 +- 0.5 %' "$(joined "${beside[@]}")"
	row 'processes of these' "$(value short '.rounds[0].processes | length')" 2001 \
		"$(have pidstat && printf 'pidstat 1 shows %s' "$(awk '$NF == "children" { print $(NF - 7) }' "$work/pidstat" | sort -u | wc -l)")"
}

# --- the log driver ------------------------------------------------------------------

# The driver as `perfbpf drive` runs it, followed by curl; nobody checks what curl prints.
log_driver_alone() {
	local pid url before after started i
	"$perfbpf" drive kubelogs/basic --duration 30s >"$work/drive" 2>/dev/null </dev/null &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		url=$(grep -o "http://127.0.0.1:[0-9]*/api/[^']*" "$work/drive") && break
		sleep 0.05
	done
	curl -sSN --noproxy '*' --parallel --parallel-immediate --parallel-max 50 "$url" >/dev/null 2>&1 </dev/null &
	sleep 1
	before=$(process_cpu "$pid")
	started=$EPOCHREALTIME
	sleep 10
	after=$(process_cpu "$pid")
	row 'log driver: CPU at 14,000 lines/s, serving' \
		"$(number '%.2f %%' "($after - $before) / ($EPOCHREALTIME - $started) * 100")" '<= 5 % of a core' '-'
	kill -TERM "$pid"
	wait "$pid" 2>/dev/null
}

log_driver() {
	local rate best=0 lines window=(--rounds 1 --warmup 1s --cooldown 0)
	if ! have curl; then
		row 'log driver' 'skipped: no curl' '-' '-'
		return
	fi
	log_driver_alone
	run driver --target curl --scenario kubelogs/basic "${window[@]}" --duration 8s || return
	row "log driver: CPU at $(value driver '.rounds[0] | .work.lines / .window_seconds | round') lines/s, serving and checking" \
		"$(number '%.2f %%' "$(value driver '.rounds[0] | .driver.cpu_seconds / .window_seconds * 100')")" '-' '-'
	row 'log driver: never later than' \
		"$(number '%.1f ms' "$(value driver '.rounds[0].driver.late_seconds_max * 1000')")" '<= 20 ms' '-'
	row 'own CPU while it watches that, at ticks of 100 ms' \
		"$(number '%.2f %%' "$(value driver '.rounds[0] | .observer.userspace_cpu_seconds / .window_seconds * 100')")" \
		'<= 0.5 % of a core' '-'
	for rate in 300k 500k 750k 1M 1.5M 2M; do
		run fast --target curl --scenario kubelogs/basic "${window[@]}" --duration 3s --rate "$rate" || break
		lines=$(value fast '.rounds[0] | if .work.lost + .driver.dropped == 0 then .work.lines / .window_seconds | round else 0 end')
		((lines > best)) && best=$lines
	done
	row 'log driver: most lines/s to curl, none lost' "$best" '>= 500000' '-'
}

# --- the table -------------------------------------------------------------------------

table() {
	{
		printf 'figure|perfbpf|aim|beside\n'
		printf '%s\n' "${rows[@]}"
	} | awk -F'|' '
		{ for (i = 1; i <= 4; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) } }
		END { for (r = 1; r <= NR; r++) printf "%s%-*s  %-*s  %-*s  %s\n", r == 1 ? "\n" : "",
			width[1], cell[r, 1], width[2], cell[r, 2], width[3], cell[r, 3], cell[r, 4] }'
	printf '\n%s, %s CPUs; events by BPF run-time statistics, which cost some 20 ns an event themselves.\n' \
		"Linux $(uname -r)" "$(nproc)"
}

((EUID == 0)) || { say 'needs root: sudo make bench'; exit 3; }
[[ -x $perfbpf && -x $truth/burn && -x build/bench/slices ]] ||
	{ say 'build first: make all truth benches'; exit 1; }
have jq || { say 'there is no jq'; exit 1; }
[[ -r $stats ]] && stats_before=$(cat "$stats")

status=0
(($#)) || set -- cost_of_events cost_of_waiting cost_of_calls cost_of_storage server_under_load \
	cost_of_a_sample cost_of_profiling cost_of_files own_cost start_time short_children log_driver load_driver large_reports
for part; do
	say "$part ($SECONDS s)"
	if ! "$part"; then
		row "$part" 'FAILED' '-' "$(tail -n 1 "$work/err")"
		status=1
	fi
done
table
say "$SECONDS s"
exit "$status"
