#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Thresholds of the command line and of scenarios, and soaks: what they say and what they end in.
# lane: shared
. "$(dirname "$0")/lib.sh"

# --- what is wrong is said with its place, before anything runs
mkdir -p "$WORK/scenarios"
scenario() {
	printf 'driver: kubelogs\nphases: [{name: m, role: measured, duration: 2s}]\nthresholds:\n%s\n' "$2" >"$WORK/$1.yaml"
}
scenario good '  latency.delivery: [p(95)<1s, {threshold: avg<1us, level: target}]'
scenario unit '  latency.delivery: p(95)<50'
scenario metric '  cpu.total_second: value<1s'
perfbpf drive --check "$WORK/good.yaml"
equal check/good "$RC" 0
perfbpf drive --check "$WORK/unit.yaml"
equal check/unit-exit "$RC" 2
check check/unit "$(error_line)" grep -q "unit.yaml:4:21: key 'thresholds.latency.delivery': '50' is no time; write one with its unit" "$ERR"
perfbpf drive --check "$WORK/metric.yaml"
check check/metric "$(error_line)" grep -q "metric.yaml:4:3: .*did you mean 'cpu.total_seconds'?" "$ERR"
for wrong in 'cpu.total_seconds' 'cpu.total_seconds<1%' 'latency.delivery:p(99)<1ms' 'latency.response{phase:x' ':value<1'; do
	perfbpf run --target true --threshold "$wrong" -o "$WORK/none"
	equal "option/exit '$wrong'" "$RC" 2
done
perfbpf run --target true --threshold 'latency.respnse:p(99)<1ms' -o "$WORK/none"
equal option/latency-exit "$RC" 2
check option/latency "$(error_line)" grep -q "no latency is named 'respnse'; did you mean 'response'?" "$ERR"
check option/nothing-made 'a folder was made' test ! -e "$WORK/none"

need_bpf

# --- one that holds and one that does not
new_folder
perfbpf run --target 'sleep 0.2' --rounds 2 -o "$DIR" --profile none --threshold 'window_seconds<10'
equal holds/exit "$RC" 0
holds holds/record '.thresholds | length == 1 and .[0].passed and .[0].value > 0.19 and .[0].unit == "s"'
new_folder
perfbpf run --target 'sleep 0.2' --vs 'sleep 0.3' --rounds 1 -o "$DIR" --profile none \
	--threshold 'window_seconds:value<250ms' --threshold 'work.errors:count<1'
equal fails/exit "$RC" 99
holds fails/by-side '[.thresholds[] | select(.metric == "window_seconds") | .passed] == [true, false]'
holds fails/no-value '[.thresholds[] | select(.metric == "work.errors") | .passed] == [false, false]'
check fails/said "$(tail -n 20 "$OUT")" grep -q 'B: value<250ms of window_seconds does not hold' "$OUT"
# Unequal work comes first.
new_folder
perfbpf run --quiet --target true --vs false --rounds 1 -o "$DIR" --profile none --threshold 'window_seconds:value<1us'
equal invalid-first/exit "$RC" 96

# --- a scenario's, of which a target is only shown
if command -v curl >/dev/null; then
	new_folder
	perfbpf run --quiet --target curl --scenario "$WORK/good.yaml" --rounds 1 -o "$DIR" --profile none
	holds scenario/levels '.thresholds | length == 2 and .[0].passed and (.[1] | .passed | not) and .[1].level == "target"'
	if [[ $(value .verdict.valid) == true ]]; then
		equal scenario/exit "$RC" 0
	else
		skip scenario/exit "the run is not valid: $(value .verdict.text)"
	fi
else
	skip scenario 'curl is not installed'
fi

# --- one that ends the run: B fails it, and is compared with nothing
cat >"$WORK/abort.yaml" <<-END
	driver: exec
	exec: {commands: [{name: look, command: [test, "!", -e, $WORK/broken]}]}
	phases: [{name: m, role: measured, duration: 4s, executor: constant-arrival-rate, rate: 20}]
	thresholds: {work.errors: [{threshold: rate<0.5, abortOnFail: true}]}
	rounds: 5
END
new_folder
LIMIT=90 perfbpf run --quiet --scenario "$WORK/abort.yaml" -o "$DIR" --profile none --seed 1 \
	--target "sh -c 'rm -f $WORK/broken; exec sleep 60'" --vs "sh -c 'touch $WORK/broken; exec sleep 61'"
equal abort/exit "$RC" 99
holds abort/no-more-rounds '[.rounds[] | select(.side == "B")] | length == 1'
holds abort/ends-early '.rounds[-1] | .side == "B" and .window_seconds < 3.5'
holds abort/says-which '.rounds[-1].aborted_by == "rate<0.5 of work.errors"'
holds abort/is-noted '[.notes[] | select(test("which ended the run: [12] of 10 rounds"))] | length == 1'
holds abort/not-unequal 'all(.rounds[]; .validity.valid)'

# --- soaks: a leak is found, a heap that is swept is none
soak() {
	"$PERFBPF" run --quiet --soak --target "$TRUTH/leaker $2" --rounds 1 --tick 50ms --profile none \
		--without requests,time,io -o "$WORK/$1" </dev/null >"$WORK/$1.out" 2>&1 3>&- &
	started+=("$!")
}
soak leaky '60 8 4'
LEAKY=$!
soak steady '0 8 16'
STEADY=$!
wait "$LEAKY"
equal soak/leaky-exit "$?" 99
wait "$STEADY"
equal soak/steady-exit "$?" 0
DIR=$WORK/leaky
holds soak/leak '.rounds[0].endurance | length == 1 and .[0].name == "memory" and .[0].verdict == "leak"'
# 3,600 MiB an hour, beside a heap of 4 MiB that comes and goes.
holds soak/slope '.rounds[0].endurance[0] | .value / 3774873600 | . > 0.8 and . < 1.25'
holds soak/interval '.rounds[0].endurance[0] | .ci_low > 0 and .ci_low < 3774873600 * 1.05 and .ci_high > 3774873600 * 0.95'
DIR=$WORK/steady
holds soak/steady '.rounds[0].endurance[0].verdict == "steady"'
