#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# run.json as the contract has it, and the reports that are made of it.
# shellcheck disable=SC2016
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf

new_folder
perfbpf run --quiet -o "$DIR" --target "$TRUTH/children 20 10" --vs "$TRUTH/burn 2 0.3" --rounds 2
equal run "$RC" 0

# paths NAME FILTER PATH...: each PATH is there below FILTER.
paths() {
	local name=$1 filter=$2 path
	shift 2
	for path in "$@"; do
		[[ $(value "$filter | try (path($path) as \$p | getpath(\$p[:-1]) | has(\$p[-1])) catch false") == true ]] ||
			{ fail "paths/$name" "no $filter | $path"; return; }
	done
	ok "paths/$name"
}
paths top . .schema .perfbpf .host .scenario .targets .rounds .comparison .verdict .complete
paths perfbpf .perfbpf .version .argv .seed
paths host .host .kernel .cpus .cpu_model .memory_bytes .virtualization .governor
paths scenario .scenario .name .driver .phases
paths target '.targets[0]' .side .name .argv .version
paths round '.rounds[0]' .side .pair .position .started_at .window_seconds .exit_code .signal .cpu \
	.memory .network .processes .series .observer .validity
paths cpu '.rounds[0].cpu' .total_seconds .user_seconds .system_seconds .utilization_avg \
	.utilization_peak .context_switches .involuntary_switches .migrations
paths memory '.rounds[0].memory' .rss_avg_bytes .rss_peak_bytes .vms_peak_bytes .minor_faults .major_faults
paths network '.rounds[0].network' .tx_bytes .rx_bytes .connections_opened .connections_accepted .retransmits
paths process '.rounds[0].processes[0]' .pid .ppid .comm .exe .started_at .exited_at .cpu_seconds \
	.rss_peak_bytes .minor_faults .major_faults .tx_bytes .rx_bytes
paths series '.rounds[0].series' .interval_seconds .cpu_utilization .rss_bytes .tx_bytes_per_second \
	.rx_bytes_per_second
paths observer '.rounds[0].observer' .probe_seconds .probe_events .userspace_cpu_seconds .losses
paths losses '.rounds[0].observer.losses' .ring .map_full .storage .stacks
paths validity '.rounds[0].validity' .valid .reasons
paths comparison '.comparison[0]' .metric .unit .better .a_median .b_median .ratio .ci_low .ci_high .p \
	.n .mde .verdict
paths verdict .verdict .winner .text .valid

holds schema '.schema == "perfbpf.run/1"'
holds host-is-this-one ".host.cpus == $(nproc --all) and .host.kernel == \"$(uname -r)\""
holds seconds-are-seconds '[.rounds[].window_seconds] | all(. > 0.1 and . < 5)'
holds names '[.rounds[] | select(.side == "A") | .processes[].comm] | unique == ["children"]'
holds executables '[.rounds[].processes[].exe | strings | split("/")[-1]] | unique == ["burn", "children"]'
holds argv '.targets | sort_by(.side) | map(.argv[0] | split("/")[-1]) == ["children", "burn"]'
holds valid '[.rounds[].validity.valid] | all'
holds series-have-one-length '[.rounds[].series | [.cpu_utilization, .rss_bytes, .tx_bytes_per_second,
	.rx_bytes_per_second] | map(length) | unique | length] | unique == [1]'
holds series-tick '[.rounds[].series.interval_seconds] | unique == [0.1]'
# The series is the same CPU time as the total, cut into ticks.
holds series-adds-up '.rounds | map(select(.side == "B"))[0] |
	((.series.cpu_utilization | map(numbers) | add) * .series.interval_seconds) as $sum |
	($sum / .cpu.total_seconds - 1 | fabs) < 0.35'
holds better '[.comparison[].better] | unique | . - ["lower", "higher"] == []'
holds n-is-pairs '[.comparison[].n] | max == 2'

# What perfbpf costs is known, or said not to be.
holds observer/counted '.rounds[0].observer | .probe_events > 0 and .probe_seconds > 0'
holds observer/programs-add-up '.rounds[0].observer | (.programs | length > 3) and
	([.programs[].events] | add) == .probe_events'
holds observer/programs-have-names '[.rounds[0].observer.programs[].name] | all(length > 0)'
new_folder
perfbpf run --quiet --rounds 1 -o "$DIR" --target "$TRUTH/burn 1 0.2" --observer off
equal observer-off/exit "$RC" 0
holds observer-off/not-known '.rounds[0].observer.probe_seconds == null'
if [[ -e /proc/sys/kernel/bpf_stats_enabled ]]; then
	equal observer/accounting-is-off-again "$(cat /proc/sys/kernel/bpf_stats_enabled)" 0
fi

# --tick
new_folder
perfbpf run --quiet --rounds 1 -o "$DIR" --target "$TRUTH/burn 1 0.6" --tick 50ms
holds tick/interval '.rounds[0].series.interval_seconds == 0.05'
holds tick/length '.rounds[0].series.cpu_utilization | length >= 10 and length <= 15'

# --- reports
DIR=$WORK/result-1
"$PERFBPF" report "$DIR" >"$WORK/text" 2>"$ERR" || fail text "$(error_line)"
check text/has-both-sides "$(head -n 5 "$WORK/text")" grep -q 'A.*B' "$WORK/text"
check text/no-escape-sequences 'colours although not on a terminal' \
	test "$(tr -dc '\033' <"$WORK/text" | wc -c)" = 0
check text/names-the-metric 'no line of CPU' grep -qi cpu "$WORK/text"
"$PERFBPF" report "$DIR" --format json >"$WORK/json" 2>"$ERR"
check json/same-as-run.json 'the two differ' test "$(jq -S . "$WORK/json" | md5sum)" = "$(jq -S . "$DIR/run.json" | md5sum)"
"$PERFBPF" report "$DIR" --format csv >"$WORK/csv" 2>"$ERR"
check csv/has-a-header "$(head -n 1 "$WORK/csv")" grep -qi '^[a-z_]*,.*side' "$WORK/csv"
check csv/one-width 'rows differ in their number of fields' \
	test "$(awk -F, '{ print NF }' "$WORK/csv" | sort -u | wc -l)" = 1
check csv/four-rounds "$(wc -l <"$WORK/csv") lines" test "$(wc -l <"$WORK/csv")" -ge 5
"$PERFBPF" report "$DIR" --format md >"$WORK/md" 2>"$ERR"
check md/has-a-table "$(head -n 5 "$WORK/md")" grep -qE '^\|.*\|.*\|' "$WORK/md"
check md/rows-have-one-width 'a row of a table has another number of cells' awk -F'|' '
	/^\|/ { if (n && NF != n) exit 1; n = NF; next } { n = 0 }' "$WORK/md"
"$PERFBPF" report "$DIR" --format csv -o "$WORK/file.csv" >"$OUT" 2>"$ERR"
check report-to-file 'not what goes to standard output' cmp "$WORK/csv" "$WORK/file.csv"
"$PERFBPF" report "$DIR/run.json" --format csv >"$WORK/again" 2>"$ERR"
check report-of-a-file 'not what the folder gives' cmp "$WORK/csv" "$WORK/again"
mv "$DIR" "$WORK/moved"
"$PERFBPF" report "$WORK/moved" --format csv >"$WORK/again" 2>"$ERR"
check report-of-a-moved-folder 'not what it was' cmp "$WORK/csv" "$WORK/again"
