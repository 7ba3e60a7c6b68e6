#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A run.json that is broken, or of a newer perfbpf, is refused in one line that names the file and the
# place; one that a run could not finish is there, and says so.
# lane: shared
. "$(dirname "$0")/lib.sh"

whole=$WORK/whole.json
jq . tests/fuzz/corpus/record/load.json >"$whole"
size=$(stat -c %s "$whole")

# one_line WHERE: what came of the last report is one line that names $WORK/run.json; WHY says else.
one_line() {
	WHY="$1: exit $RC: $(head -c 300 "$ERR")"
	[[ $RC == 2 && $(wc -l <"$ERR") == 1 && $(head -c 2000 "$ERR") == "perfbpf: $WORK/run.json:"* && ! -s $OUT ]]
}

report() {
	timeout 20 "$PERFBPF" report "$WORK/run.json" >"$OUT" 2>"$ERR"
	RC=$?
}

# --- cut off at each per cent
WHY=
for ((i = 0; i < 100; i++)); do
	head -c $((size * i / 100)) "$whole" >"$WORK/run.json"
	report
	one_line "at $i %" || break
	grep -qE 'run\.json:[0-9]+:[0-9]+: .*is no JSON: ' "$ERR" || break
	WHY=
done
equal cut "$WHY" ''

# --- a byte turned, here and there: read, or refused in one line
RANDOM=1
WHY=
read_all=0
for ((i = 0; i < 60; i++)); do
	cp "$whole" "$WORK/run.json"
	# shellcheck disable=SC2059
	printf "\\x$(printf %02x $((RANDOM % 256)))" |
		dd of="$WORK/run.json" bs=1 seek=$(((RANDOM * 32768 + RANDOM) % size)) conv=notrunc status=none
	report
	if ((RC == 0)); then
		read_all=$((read_all + 1))
	else
		one_line "byte $i" || break
	fi
	WHY=
done
equal turned "$WHY" ''
echo "# of 60 records with a turned byte $read_all could be read" >&3

# --- what else it may be
# refused NAME TEXT: of what is in $WORK/run.json.
refused() {
	report
	if one_line "$1" && grep -qF -- "$2" "$ERR"; then
		ok "refused/$1"
	else
		fail "refused/$1" "$WHY"
	fi
}
# changed NAME FILTER TEXT
changed() {
	jq -c "$2" "$whole" >"$WORK/run.json"
	refused "$1" "$3"
}
changed newer '.schema = "perfbpf.run/2" | .rounds = 7' 'is newer than this program, which reads "perfbpf.run/1": use a newer perfbpf'
changed newer-at-its-end '{rounds: 7, schema: "perfbpf.run/2"}' 'is newer than this program'
changed other '.schema = "other/1"' 'schema: must be "perfbpf.run/1", not "other/1"'
changed none 'del(.schema)' 'schema: is missing: this is no record of perfbpf'
changed number-as-text '.rounds[1].cpu.total_seconds = "1"' 'rounds[1].cpu.total_seconds: must be a number or null, not a string'
changed large-number '.rounds[0].window_seconds = "X"' 'rounds[0].window_seconds: must be a number'
sed 's/"window_seconds": [0-9.]*/"window_seconds": 1e999/' "$whole" >"$WORK/run.json"
refused huge-number 'rounds[0].window_seconds: must be smaller'
sed 's/"minor_faults": [0-9]*/"minor_faults": 99999999999999999999/' "$whole" >"$WORK/run.json"
refused huge-integer 'rounds[0].memory.minor_faults: must be smaller'
sed 's/"complete": true,/&&/' "$whole" >"$WORK/run.json"
refused twice 'complete: is no JSON: is there twice'
changed series '.rounds[0].series.rss_bytes = [1]' 'rounds[0].series.rss_bytes: has 1 values'
: >"$WORK/run.json"
refused empty ':1:1: is no JSON: there is nothing in it'
head -c 100000 /dev/urandom >"$WORK/run.json"
refused binary 'is no JSON'
gzip -c "$whole" >"$WORK/run.json"
refused compressed 'is no JSON'
printf '\xef\xbb\xbf{}' >"$WORK/run.json"
refused mark 'is no JSON'
printf '{"schema": "perfbpf.run/1", "rounds": [], "x": %s' "$(printf '[%.0s' {1..20000})" >"$WORK/run.json"
refused deep 'x: is no JSON: too many brackets'
rm "$WORK/run.json"
mkdir "$WORK/run.json"
report
check refused/folder "exit $RC: $(error_line)" test "$RC" = 2 -a "$(wc -l <"$ERR")" = 1
mkdir "$WORK/run.json/run.json"
report
check refused/folder-as-file "exit $RC: $(error_line)" grep -qF "$WORK/run.json/run.json: Is a directory" "$ERR"
rm -r "$WORK/run.json"
report
equal refused/absent "$RC $(error_line)" "2 perfbpf: $WORK/run.json: No such file or directory"

# --- what a later version may add is passed over
jq '.later = {a: [1, {b: null}], c: "x"} | .rounds[0].later = [true] | .rounds[0].cpu.later = 1' "$whole" >"$WORK/run.json"
timeout 20 "$PERFBPF" report "$WORK/run.json" --format csv >"$WORK/later.csv" 2>"$ERR"
"$PERFBPF" report "$whole" --format csv >"$WORK/whole.csv" 2>"$ERR"
check later-keys 'another report than without them' cmp "$WORK/later.csv" "$WORK/whole.csv"
check a-pipe 'a pipe cannot be read' cmp "$WORK/whole.csv" <("$PERFBPF" report <(cat "$whole") --format csv)

# --- a run that was cut short
need_bpf_here() { ((EUID == 0)) && [[ -e /sys/kernel/btf/vmlinux ]] && has_capability 39; }
if ! need_bpf_here; then
	skip interrupted 'needs root and BPF'
	exit
fi
third_round() { grep -q 'round 3 of 4' "$ERR" && jq -e '.rounds | length >= 1' "$DIR/run.json"; }
for signal in INT:130 KILL:137; do
	name=interrupted-${signal%:*}
	new_folder
	start_perfbpf run -o "$DIR" --rounds 4 --profile none --target "$TRUTH/burn 1 0.7 $MARK"
	if ! wait_for 30 third_round; then
		fail "$name" "there was no third round: $(error_line)"
		continue
	fi
	kill "-${signal%:*}" "$PID"
	wait_end 20
	equal "$name/exit" "$RC" "${signal#*:}"
	holds "$name/incomplete" '.complete == false and (.rounds | length >= 2) and
		([.rounds[:2][].window_seconds] | all(. > 0.5))'
	check "$name/no-half-file" 'a temporary file was left' test ! -e "$DIR/.run.json.tmp"
	"$PERFBPF" report "$DIR" --format md >"$OUT" 2>"$ERR"
	check "$name/report-says-so" "$(head -n 5 "$OUT" "$ERR")" grep -qiE 'did not come to its end|interrupted' "$OUT"
	wait_for 5 none_marked
done
