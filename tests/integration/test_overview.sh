#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Several scenarios in one run: one that fails keeps nothing from being measured, and all end in a table.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf

scenario() {
	printf 'driver: exec\nrounds: 1\n%s\nexec: {commands: [{name: it, command: ["true"]}]}\nphases: [{name: m, role: measured, executor: per-vu-iterations, vus: 1, iterations: 20, duration: 10s}]\n' "$2" >"$WORK/$1.yaml"
}
scenario one 'description: the first'
scenario two 'description: the second'
scenario bad 'hooks: {setup: [["false"]]}'
there() {
	grep -o 'href="[^"]*"' "$DIR/index.html" | sed 's/href="\(.*\)"/\1/' | while read -r link; do
		test -s "$DIR/$link" && echo "$link"
	done | wc -l
}

# --- one side
new_folder
perfbpf run -o "$DIR" -s "$WORK/one.yaml" -s "$WORK/two.yaml" --profile none --target 'sleep 60'
equal one-side/exit "$RC" 0
check one-side/table "$(tail -n 12 "$OUT")" grep -q '^scenario  *run  *CPU time  *RSS, peak  *per second  *p99$' "$OUT"
equal one-side/file "$(grep -c ' valid ' "$DIR/overview.txt")" 2
equal one-side/links "$(there)" 2
perfbpf report "$DIR"
equal one-side/report "$(tail -n 2 "$OUT")" "$(tail -n 2 "$DIR/overview.txt")"

# --- two sides, and a scenario that fails
new_folder
perfbpf run -o "$DIR" -s "$WORK/bad.yaml" -s "$WORK/one.yaml" -s "$WORK/two.yaml" --profile none --target 'sleep 60' --vs 'sleep 61'
equal fails/exit "$RC" 1
check fails/said "$(error_line)" grep -q "bad: hook setup: 'false'" "$ERR"
check fails/overview "$(cat "$DIR/overview.txt")" grep -q '^bad  *FAILED  *-  *-' "$DIR/overview.txt"
equal fails/others "$(grep -c '^[^ ]* *valid *none *CPU time \*' "$DIR/overview.txt")" 2
check fails/printed "$(tail -n 12 "$OUT")" grep -q '^sleep 60 (A) against sleep 61 (B)$' "$OUT"
equal fails/links "$(there)" 2

# --- quiet is quiet
new_folder
perfbpf run -q -o "$DIR" -s "$WORK/one.yaml" -s "$WORK/two.yaml" --profile none --target 'sleep 60'
check quiet/file 'there is none' test -s "$DIR/index.html"
equal quiet/said "$(wc -c <"$OUT")" 0
