#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Help, version, lists, doctor, and what is shown on a terminal and what is not.
# lane: shared
. "$(dirname "$0")/lib.sh"

perfbpf --version
equal version/exit "$RC" 0
check version/text "$(cat "$OUT")" grep -qF "$(cat VERSION)" "$OUT"
for command in '' run attach drive list doctor report; do
	# shellcheck disable=SC2086
	perfbpf $command --help
	name=help/${command:-perfbpf}
	equal "$name/exit" "$RC" 0
	check "$name/usage" "$(head -n 2 "$OUT")" grep -qi 'usage' "$OUT"
	[[ -z $command ]] || check "$name/example" 'no example' grep -q "perfbpf $command" "$OUT"
	check "$name/nothing-on-stderr" "$(cat "$ERR")" test ! -s "$ERR"
done
for command in run attach drive list doctor report; do
	perfbpf --help
	check "help/lists-$command" 'not in perfbpf --help' grep -qE "^ +$command\b" "$OUT"
done

perfbpf list targets
for name in wake stern kubectl curl; do
	check "list/$name" "$(cat "$OUT")" grep -qE "^ *$name\b" "$OUT"
done
perfbpf list scenarios
for name in basic error_filter complex_filter json_filter high_frequency; do
	check "list/$name" "$(cat "$OUT")" grep -q "kubelogs/$name" "$OUT"
done
perfbpf list metrics
for name in cpu.total_seconds memory.rss_peak_bytes memory.minor_faults network.rx_bytes; do
	check "list/$name" 'not listed' grep -qF "$name" "$OUT"
done

# doctor says what is possible, and does not fail over what is merely refused.
LIMIT=30 perfbpf doctor
if ((EUID == 0)) && has_capability 39; then
	equal doctor/exit "$RC" 0
fi
check doctor/btf "$(head -n 5 "$OUT")" grep -qi btf "$OUT"
check doctor/capabilities 'no CAP_BPF in it' grep -q 'CAP_BPF' "$OUT"
if ((EUID == 0)) && command -v setpriv >/dev/null && nobody_can_reach "$PERFBPF"; then
	as_nobody timeout 30 "$PERFBPF" doctor >"$OUT" 2>"$ERR" </dev/null
	status=$?
	check doctor/not-root/exit "exit $status" test "$status" = 3 -o "$status" = 0
	check doctor/not-root/remedy 'it does not name CAP_BPF' grep -q CAP_BPF "$OUT" "$ERR"
fi

if ((EUID != 0)) || ! { has_capability 39 || has_capability 21; }; then
	skip running 'needs root with CAP_BPF'
	exit
fi

# Not on a terminal: no progress bar, no escape sequences, human text on standard output.
new_folder
perfbpf run -o "$DIR" --target "$TRUTH/burn 1 0.5" --vs "$TRUTH/burn 1 0.5" --rounds 1
check plain/no-escape-sequences 'there are some' test "$(cat "$OUT" "$ERR" | tr -dc '\033\r' | wc -c)" = 0
check plain/table-on-stdout "$(head -n 3 "$OUT")" grep -qi cpu "$OUT"
new_folder
perfbpf run --quiet -o "$DIR" --target true
check quiet/nothing-on-stderr "$(cat "$ERR")" test ! -s "$ERR"

if ! command -v script >/dev/null; then
	skip terminal 'there is no script(1)'
	exit
fi
# on_terminal COMMAND: its output on a terminal of 100 columns.
on_terminal() {
	timeout 30 script -qec "stty cols 100 rows 30; $1" /dev/null >"$OUT" 2>"$ERR" </dev/null
}
on_terminal "TERM=xterm '$PERFBPF' run -o '$WORK/t1' --target '$TRUTH/burn 1 1.2' --vs '$TRUTH/burn 1 1.2' --rounds 1"
check terminal/progress 'no carriage return or escape sequence: no progress bar' grep -aqP '\r.|\x1b\[' "$OUT"
check terminal/round 'the progress names no round' grep -aqi 'round' "$OUT"
on_terminal "TERM=xterm NO_COLOR=1 '$PERFBPF' report '$WORK/t1'"
equal terminal/NO_COLOR "$(grep -acE $'\033\\[[0-9;]*m' "$OUT")" 0
on_terminal "TERM=dumb '$PERFBPF' run --rounds 1 -o '$WORK/t2' --target '$TRUTH/burn 1 0.4'"
check terminal/dumb 'there are escape sequences' test "$(tr -dc '\033' <"$OUT" | wc -c)" = 0
on_terminal "TERM=xterm '$PERFBPF' run --quiet --rounds 1 -o '$WORK/t3' --target '$TRUTH/burn 1 0.4'"
check terminal/quiet 'there is a progress bar' test "$(grep -ac 'round' "$OUT")" -le 1
