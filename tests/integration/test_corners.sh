#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Odd sides: a first thread that ends first, a process named twice, a keeper that is killed, the
# caller's open files, what cannot be executed, and output that cannot be written.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf

# --- a process whose first thread has ended is still ended, with its children
new_folder
perfbpf run --quiet --target "$TRUTH/leaderexit 30 3 $MARK" --duration 1s --rounds 1 -o "$DIR"
equal leader-gone/exit "$RC" 0
check leader-gone/nothing-left "$(pgrep -fa "leaderexit 30 3 $MARK")" test -z "$(pgrep -f "leaderexit 30 3 $MARK")"
new_folder
perfbpf run --quiet --target "$TRUTH/leaderexit 1 3" --rounds 1 -o "$DIR"
holds leader-gone/exit-code '.rounds[0].exit_code == 3 and .rounds[0].processes[0].exit_code == 3'

# --- the same process twice, and a child beside its parent
sh -c "sleep 60 & wait # $MARK" </dev/null 3>&- &
PARENT=$!
started+=("$PARENT")
sleep 0.3
CHILD=$(pgrep -P "$PARENT")
new_folder
start_perfbpf attach "$PARENT" "$PARENT" "$CHILD" -o "$DIR" --quiet --debug
wait_for 20 window_is_open
kill "$CHILD"
wait_end 15
equal twice/ends "$RC" 0
holds twice/listed-once '.rounds[0].processes | length == 2 and all(.exited_at != null)'
wait "$PARENT" 2>/dev/null

# --- the keeper is killed: it is noticed, and nothing is left
new_folder
PERFBPF_TEST_MARK=$MARK "$PERFBPF" run --target "sh -c 'sleep 40; : $MARK'" --rounds 1 -o "$DIR" --quiet >"$OUT" 2>"$ERR" </dev/null 3>&- &
PID=$!
started+=("$PID")
sleep 1
KEEPER=$(pgrep -P "$PID")
kill -KILL "$KEEPER"
timeout 10 tail --pid="$PID" -f /dev/null
wait "$PID"
equal keeper-killed/exit "$?" 1
check keeper-killed/said "$(cat "$ERR")" grep -q 'keeper process ended' "$ERR"
check keeper-killed/nothing-left "$(marked_pids | xargs -r ps -o args= -p)" none_marked

# --- open files of the caller do not reach the side
printf secret >"$WORK/secret"
exec 9<"$WORK/secret"
new_folder
perfbpf run --quiet --target "sh -c 'ls -l /proc/self/fd >$WORK/fds'" --rounds 1 -o "$DIR"
exec 9<&-
check caller-files/closed "$(cat "$WORK/fds")" test "$(grep -c secret "$WORK/fds")" = 0

# --- a script without its first line: an error, and no figures of what was not the target
printf 'echo hi\n' >"$WORK/noshebang"
chmod 755 "$WORK/noshebang"
new_folder
perfbpf run --target "$WORK/noshebang" --rounds 1 -o "$DIR"
equal no-interpreter/exit "$RC" 2
check no-interpreter/remedy "$(cat "$ERR")" grep -q '#!/bin/sh' "$ERR"
check no-interpreter/no-figures "$(cat "$OUT")" test ! -s "$OUT"

# --- what does not go together is said before anything is run
new_folder
perfbpf run --pid $$ --scenario kubelogs/basic -o "$DIR"
equal pid-and-scenario/exit "$RC" 2
if command -v curl >/dev/null; then
	printf '{}\n' >"$WORK/kubeconfig"
	perfbpf run --target curl --kubeconfig "$WORK/kubeconfig" --rounds 1 -o "$DIR"
	equal kubeconfig-without-url/exit "$RC" 2
fi

# --- a report that cannot be printed is an error; the results are there
new_folder
timeout 30 "$PERFBPF" run --target true --rounds 1 -o "$DIR" >/dev/full 2>"$ERR" </dev/null 3>&-
equal full-output/exit "$?" 1
check full-output/said "$(cat "$ERR")" grep -q 'standard output' "$ERR"
check full-output/saved 'there is no run.json' test -s "$DIR/run.json"

# --- --seed is the generated work's too: the same one gives the same lines, another one others
if command -v curl >/dev/null; then
	expected=()
	for seed in 1 2 1; do
		new_folder
		perfbpf run --quiet --target curl --scenario kubelogs/error_filter --seed "$seed" --rounds 1 \
			--warmup 500ms --duration 1s --cooldown 0 -o "$DIR"
		expected+=("$(jq '.rounds[0].work.expected_lines' "$DIR/run.json")")
	done
	equal seed/same "${expected[0]}" "${expected[2]}"
	check seed/another "${expected[*]}" test "${expected[0]}" != "${expected[1]}"
fi
