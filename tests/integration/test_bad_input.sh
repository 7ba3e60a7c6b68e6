#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Bad input: one line that names the thing, the right exit code, and no folder made.
# lane: shared
. "$(dirname "$0")/lib.sh"

# bad NAME CODES REGEX ARGUMENT...: `perfbpf ARGUMENT...` ends in one of CODES (2, 1|2) with
# one line of error that matches REGEX (extended, any case). No word of it may be missing.
bad() {
	local name=$1 codes=$2 regex=$3 lines
	shift 3
	rm -rf "$WORK/no-folder"
	LIMIT=${LIMIT:-20} perfbpf "$@"
	lines=$(grep -c '^perfbpf: ' "$ERR")
	if [[ ! $RC =~ ^($codes)$ ]]; then
		fail "$name" "exit $RC instead of $codes: $(error_line)"
	elif ((lines != 1)); then
		fail "$name" "$lines lines of error: $(head -c 400 "$ERR")"
	elif ! error_line | grep -qiE -- "$regex"; then
		fail "$name" "no /$regex/ in: $(error_line)"
	elif [[ -e $WORK/no-folder ]]; then
		fail "$name" 'a results folder was made'
	else
		ok "$name"
	fi
}
run=(run -o "$WORK/no-folder" --quiet)

# --- the command line
perfbpf
check no-command "exit $RC: $(head -n 2 "$ERR")" test "$RC" = 2 -a -s "$ERR"
bad unknown-command 2 "atach.*attach" atach 1
bad unknown-option 2 'durration.*duration' "${run[@]}" --target true --durration 3s
bad option-without-value 2 'target' run --target
bad no-target 2 '--target' "${run[@]}" --scenario kubelogs/basic
bad stray-word 2 'stray' "${run[@]}" --target true stray
bad duration-zero 2 'duration' "${run[@]}" --target curl --scenario kubelogs/basic --duration 0
bad duration-negative 2 'duration' "${run[@]}" --target curl --scenario kubelogs/basic --duration=-5s
bad duration-negative-word 2 'duration' "${run[@]}" --target curl --scenario kubelogs/basic --duration -5s
bad duration-no-unit 2 'duration.*30' "${run[@]}" --target curl --scenario kubelogs/basic --duration 30
bad duration-nonsense 2 'duration.*soon' "${run[@]}" --target curl --scenario kubelogs/basic --duration soon
bad duration-huge 2 'duration' "${run[@]}" --target curl --scenario kubelogs/basic --duration 99999999999999h
bad rounds-zero 2 'rounds' "${run[@]}" --target true --rounds 0
bad rounds-negative 2 'rounds' "${run[@]}" --target true --rounds=-1
bad rounds-nonsense 2 'rounds.*many' "${run[@]}" --target true --rounds many
bad rate-zero 2 'rate' "${run[@]}" --target curl --scenario kubelogs/basic --rate 0
bad rate-nonsense 2 'rate.*fast' "${run[@]}" --target curl --scenario kubelogs/basic --rate fast
bad seed-nonsense 2 'seed.*x1' "${run[@]}" --target true --seed x1
bad tick-zero 2 'tick' "${run[@]}" --target true --tick 0
bad observer-unknown 2 'observer.*stats.*off|stats' "${run[@]}" --target true --observer some
bad work-bound-nonsense 2 'work-bound' "${run[@]}" --target true --work-bound lots
bad user-unknown 2 'no-such-user' "${run[@]}" --target true --user no-such-user
bad attach-duration-zero 2 'duration' attach $$ --duration 0 -o "$WORK/no-folder"

# --- targets and scenarios
bad unknown-target 2 'kubctl.*kubectl' "${run[@]}" --target kubctl --scenario kubelogs/basic
bad unknown-scenario 2 'kubelogs/basik.*kubelogs/basic' "${run[@]}" --target curl --scenario kubelogs/basik
bad unknown-vs 2 'crul.*curl' "${run[@]}" --target curl --vs crul --scenario kubelogs/basic
bad missing-target-file 2 'nowhere\.yaml' "${run[@]}" --target "$WORK/nowhere.yaml" --scenario kubelogs/basic
bad missing-scenario-file 2 'nowhere\.yaml' "${run[@]}" --target curl --scenario "$WORK/nowhere.yaml"
bad missing-kubeconfig 2 'nowhere\.conf' "${run[@]}" --target curl --scenario kubelogs/basic \
	--kubeconfig "$WORK/nowhere.conf"
bad empty-command 2 'target|command|empty' "${run[@]}" --target ''
bad unclosed-quote 2 'quote' "${run[@]}" --target "sh -c 'true"
bad drive-unknown 2 'kubelogs/basik.*kubelogs/basic' drive kubelogs/basik
bad list-unknown 2 'metrix.*metrics' list metrix
if command -v wake >/dev/null; then
	skip tool-not-on-path 'wake is on PATH here'
else
	bad tool-not-on-path 2 'wake.*(http|install|github|cargo|brew)' "${run[@]}" --target wake --vs curl \
		--scenario kubelogs/basic
fi

# --- reports
bad report-nothing 2 'folder|DIR' report
bad report-no-folder '1|2' 'nowhere' report "$WORK/nowhere"
mkdir "$WORK/empty" "$WORK/broken" "$WORK/other"
bad report-empty-folder '1|2' 'run\.json' report "$WORK/empty"
printf '{"schema": "perfbpf.run/1", "rounds": [' >"$WORK/broken/run.json"
bad report-broken '1|2' "broken/run\.json" report "$WORK/broken"
printf '{"schema": "perfbpf.run/9"}' >"$WORK/other/run.json"
bad report-other-schema '1|2' 'perfbpf\.run/9' report "$WORK/other"
printf '{"schema": "perfbpf.run/1", "rounds": "three"}' >"$WORK/other/run.json"
bad report-wrong-type '1|2' 'rounds' report "$WORK/other"
bad report-unknown-format 2 'tex.*text' report "$WORK/other" --format tex

# --- what needs BPF to be found out
((EUID == 0)) || { skip running 'needs root'; exit; }
has_capability 39 || has_capability 21 || { skip running 'root has no CAP_BPF here'; exit; }

bad command-not-there 2 'no-such-command-perfbpf' "${run[@]}" --target 'no-such-command-perfbpf --flag'
bad command-not-there-by-path 2 '/nonexistent/program' "${run[@]}" --target '/nonexistent/program x'
bad command-not-there-vs 2 'no-such-command-perfbpf' "${run[@]}" --target true --vs 'no-such-command-perfbpf'
touch "$WORK/not-executable"
bad command-not-executable '1|2' 'not-executable' "${run[@]}" --target "$WORK/not-executable"

sh -c : &
gone=$!
wait "$gone"
bad pid-gone '1|2' "$gone" attach "$gone" -o "$WORK/no-folder" --duration 1s
bad pid-gone-run '1|2' "$gone" "${run[@]}" --pid "$gone" --duration 1s
bad pid-gone-target '1|2' "$gone" "${run[@]}" --target "pid:$gone" --duration 1s
bad pid-nonsense 2 'abc' attach abc -o "$WORK/no-folder" --duration 1s
bad pid-zero 2 '0' attach 0 -o "$WORK/no-folder" --duration 1s
bad pid-negative 2 '5' attach -- -5
bad pid-huge '1|2' '99999999999' attach 99999999999 -o "$WORK/no-folder" --duration 1s
kernel_thread=$(ps -e -o pid=,ppid= | awk '$2 == 2 { print $1; exit }')
if [[ -n $kernel_thread ]]; then
	bad pid-kernel-thread '1|2' "kernel" attach "$kernel_thread" -o "$WORK/no-folder" --duration 1s
else
	skip pid-kernel-thread 'no kernel thread can be seen from here'
fi
# A program that becomes perfbpf keeps its PID.
# shellcheck disable=SC2016
timeout 20 sh -c 'exec "$0" attach $$ -o "$1" --duration 1s' "$PERFBPF" "$WORK/no-folder" \
	>"$OUT" 2>"$ERR" </dev/null 3>&-
RC=$?
if [[ $RC == [12] ]] && error_line | grep -qi 'itself\|own'; then
	ok pid-itself
else
	fail pid-itself "exit $RC: $(error_line)"
fi
