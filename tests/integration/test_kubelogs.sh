#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The log scenarios with real programs: the work is checked, the cost is the tree's.
# shellcheck disable=SC2016
# lane: single
. "$(dirname "$0")/lib.sh"
need_bpf
need_command curl

short=(--warmup 1s --duration 2s --cooldown 200ms)

# logs NAME ARGUMENT...: a run that must be valid.
logs() {
	local name=$1
	shift
	look_for_quiet
	new_folder
	LIMIT=120 perfbpf run -o "$DIR" "$@"
	if ((RC == 0)); then
		ok "$name"
	else
		fail "$name" "exit $RC: $(error_line); $(value '[.rounds[].validity.reasons[]] | join("; ")')"
		return 1
	fi
}
# Every line that was expected came once, in order, and in time.
same_work() {
	holds "$1/all-lines-came" '[.rounds[].work | .lost + .duplicated + .malformed] | add == 0'
	holds "$1/in-order" '[.rounds[].work.reordered] | add == 0'
	holds "$1/expected-is-seen" '[.rounds[].work | .lines == .expected_lines] | all'
	holds "$1/latency-of-each" '[.rounds[] | .latency.delivery.count == .work.lines] | all'
	holds "$1/latency-is-ordered" '[.rounds[].latency.delivery | 0 <= .min_seconds and
		.min_seconds <= .p50_seconds and .p50_seconds <= .p90_seconds and
		.p90_seconds <= .p99_seconds and .p99_seconds <= .max_seconds] | all'
	excused_unless_quiet holds "$1/driver-in-time" '[.rounds[].driver | .dropped == 0 and .late_seconds_max < 0.1] | all'
	holds "$1/complete" '.complete and ([.rounds[].validity.valid] | all)'
}

if logs curl-curl --target curl --vs curl --scenario kubelogs/basic --rounds 2 "${short[@]}"; then
	same_work curl-curl
	# The nominal rate: 14,123 lines/s on average.
	within curl-curl/rate "$(value '[.rounds[].work.lines] | add / length / 2')" 14123 10
	holds curl-curl/bytes-are-received '[.rounds[] | .network.rx_bytes >= .work.bytes] | all'
	holds curl-curl/window '[.rounds[].window_seconds | (. - 2 | fabs) < 0.1] | all'
	holds curl-curl/lines-in-series '.rounds[0] |
		((.series.lines_per_second | map(numbers) | add) * .series.interval_seconds / .work.lines - 1 | fabs) < 0.1'
	holds curl-curl/driver-is-apart '[.rounds[].processes[].comm] | unique | index("perfbpf") == null'
	holds curl-curl/driver-cost '.rounds[0].driver.cpu_seconds > 0'
	holds curl-curl/ran-before-window '[.rounds[].processes[] | select(.comm == "curl") | .started_at < 0] | all'
	check curl-curl/table "no table in: $(head -n 3 "$OUT")" grep -qiE 'cpu' "$OUT"
	check curl-curl/folder-is-told 'its path is not in the output' grep -qF "$DIR" "$OUT" "$ERR"
	# One program against itself.
	within curl-curl/ratio "$(value '.comparison[] | select(.metric == "cpu.total_seconds") | .ratio')" 1 40
fi

if command -v kubectl >/dev/null; then
	if logs kubectl-curl --target kubectl --vs curl --scenario kubelogs/basic --rounds 1 "${short[@]}"; then
		same_work kubectl-curl
		holds kubectl-curl/versions '[.targets[].version] | all(. != null and length > 0)'
		# kubectl puts a prefix before each line that it received.
		holds kubectl-curl/both-received '[.rounds[] | .network.rx_bytes >= .work.bytes * 0.6] | all'
	fi
	# What grep costs belongs to the side of kubectl.
	if logs error-filter --target kubectl --vs curl --scenario kubelogs/error_filter --rounds 1 "${short[@]}"; then
		same_work error-filter
		holds error-filter/grep-is-counted '[.rounds[] | select(.side == "A") | .processes[].comm] |
			index("grep") != null'
		holds error-filter/only-some-lines '[.rounds[].work.lines] | min > 100 and max < 20000'
	fi
else
	skip kubectl-curl 'there is no kubectl on PATH'
	skip error-filter 'there is no kubectl on PATH'
fi

# --rate and --seed.
if logs rate --target curl --scenario kubelogs/basic --rounds 1 --rate 2k --seed 3 "${short[@]}"; then
	within rate "$(value '.rounds[0].work.lines / 2')" 2000 12
fi

# All of them in one command: a record for each.
every=$(cd scenarios && printf '%s\n' kubelogs/*.yaml | sed 's/\.yaml$//' | sort)
look_for_quiet
new_folder
LIMIT=180 perfbpf run -o "$DIR" --target curl --scenario all --rounds 1 --warmup 700ms --duration 1s --cooldown 0
equal all/exit "$RC" 0
equal all/scenarios "$(find "$DIR" -name run.json -exec jq -r .scenario.name {} + | sort)" "$every"
every=$DIR
for scenario in complex_filter json_filter high_frequency; do
	DIR=$(dirname "$(find "$every" -name run.json -exec grep -l "kubelogs/$scenario\"" {} +)")
	same_work "$scenario"
done

# A side that ends at once, or never begins, is told apart from one that works.
if curl_through ends-at-once 'exit 3'; then
	new_folder
	LIMIT=40 perfbpf run --quiet -o "$DIR" --target "$WORK/ends-at-once.yaml" --scenario kubelogs/basic \
		--rounds 1 "${short[@]}"
	equal ends-at-once/exit "$RC" 1
	check ends-at-once/says-so "$(error_line)" grep -qiE '^perfbpf: .*(ended|exited|status 3|code 3)' "$ERR"
fi
if curl_through ends-in-window 'timeout 2 curl "$@"'; then
	new_folder
	LIMIT=40 perfbpf run --quiet -o "$DIR" --target "$WORK/ends-in-window.yaml" --scenario kubelogs/basic \
		--rounds 1 --warmup 500ms --duration 4s --cooldown 0
	check ends-in-window/not-a-result "exit $RC" test "$RC" = 1 -o "$RC" = 96
	[[ ! -e $DIR/run.json ]] || holds ends-in-window/no-winner '.verdict.winner == null'
fi
if curl_through never-ready 'sleep 100'; then
	new_folder
	LIMIT=40 perfbpf run --quiet -o "$DIR" --target "$WORK/never-ready.yaml" --scenario kubelogs/basic \
		--rounds 1 --ready-timeout 1s "${short[@]}"
	equal never-ready/exit "$RC" 1
	check never-ready/says-so "$(error_line)" grep -qiE '^perfbpf: .*(ready|attach|connect)' "$ERR"
	check never-ready/nothing-left "$(marked_pids | xargs -r ps -o args= -p)" none_marked
fi
