#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The record of 1,000 rounds with 3,600 ticks each (some 250 MB) is reported in every format within
# 5 s and 300 MB. On a machine that others keep busy these are seconds of CPU time.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_command python3 /usr/bin/time

free_mb() { df -Pm "$1" | awk 'NR == 2 { print $4 }'; }
(($(free_mb "$WORK") > 1200)) || skip_all "there are $(free_mb "$WORK") MB free in $WORK, this takes 1,200"
(($(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo) > 700)) || skip_all 'there is too little memory free'

# Commands, which every format takes.
DIR=$WORK/large
mkdir "$DIR"
python3 -B tests/integration/big_record.py tests/fuzz/corpus/record/commands.json 1000 3600 >"$DIR/run.json"
size=$(stat -c %s "$DIR/run.json")
check size "$size bytes" test "$size" -gt 200000000

"$PERFBPF" report "$DIR" --format nonsense >"$OUT" 2>"$ERR"
read -ra formats < <(sed -n 's/.*(formats: \(.*\)).*/\1/p' "$ERR")
look_for_quiet
for format in "${formats[@]}"; do
	# There are no stacks here, and no load.
	"$PERFBPF" report tests/fuzz/corpus/record/commands.json --format "$format" -o "$WORK/small/" 2>"$ERR" || continue
	mkdir -p "$WORK/made"
	timeout 120 /usr/bin/time -o "$WORK/time" -f '%e %U %S %M' "$PERFBPF" report "$DIR" --format "$format" -o "$WORK/made/" 2>"$ERR"
	RC=$?
	read -r seconds user system memory <"$WORK/time"
	if ((RC != 0)); then
		fail "$format" "exit $RC: $(error_line)"
		continue
	fi
	echo "# $format: $seconds s ($user user, $system system), $((memory / 1024)) MB" >&3
	check "$format/memory" "$memory KB" test "$memory" -le $((300 * 1024))
	check "$format/cpu-time" "$user s + $system s" awk -v s="$user" -v t="$system" 'BEGIN { exit !(s + t <= 5) }'
	excused_unless_quiet check "$format/time" "$seconds s" awk -v s="$seconds" 'BEGIN { exit !(s <= 5) }'
	[[ $format == json ]] && mv "$WORK/made/report.json" "$WORK/again.json"
	rm -rf "$WORK/made"
done
# What was read and written is what is read and written again.
same_again() { "$PERFBPF" report "$WORK/again.json" --format json | cmp - "$WORK/again.json"; }
set -o pipefail
check json/same-again "another text" same_again

