#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Where results go: a folder that exists, cannot be written, or is full; whose they are.
# shellcheck disable=SC2016
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf

refused() {
	local name=$1 regex=$2
	if [[ $RC != [12] ]]; then
		fail "$name" "exit $RC: $(error_line)"
	elif ! error_line | grep -qiE -- "$regex"; then
		fail "$name" "no /$regex/ in: $(error_line)"
	else
		ok "$name"
	fi
}

mkdir "$WORK/exists"
echo precious >"$WORK/exists/run.json"
perfbpf run --quiet --rounds 1 --target true -o "$WORK/exists"
refused exists "$WORK/exists"
equal exists/untouched "$(cat "$WORK/exists/run.json")" precious

touch "$WORK/a-file"
perfbpf run --quiet --rounds 1 --target true -o "$WORK/a-file"
refused is-a-file "$WORK/a-file"
perfbpf run --quiet --rounds 1 --target true -o "$WORK/a-file/below"
refused below-a-file "$WORK/a-file"
# Not even root can make a folder here.
perfbpf run --quiet --rounds 1 --target true -o /proc/perfbpf-results
refused cannot-be-made '/proc/perfbpf-results'

perfbpf run --quiet --rounds 1 --target true -o "$WORK/deep/down/here"
equal parents-are-made "$RC" 0

# Without -o: perfbpf-results/<UTC time>-<scenario>/ in the present folder.
mkdir "$WORK/here"
(cd "$WORK/here" && timeout 30 "$PERFBPF" run --rounds 1 --target true >"$OUT" 2>"$ERR" </dev/null 3>&-)
found=$(cd "$WORK/here" && echo perfbpf-results/*/run.json)
if [[ $found =~ ^perfbpf-results/20[0-9]{2}[-0-9T:.]*Z?-?[^/]*/run\.json$ ]]; then
	ok default-place
else
	fail default-place "found '$found'"
fi
check default-place/is-told 'its path is not in the output' grep -qF "${found%/run.json}" "$OUT" "$ERR"

# Two runs at the same time do not share a folder.
(
	cd "$WORK/here" || exit
	"$PERFBPF" run --quiet --rounds 1 --target true >/dev/null 2>"$WORK/err1" </dev/null 3>&- &
	first=$!
	"$PERFBPF" run --quiet --rounds 1 --target true >/dev/null 2>"$WORK/err2" </dev/null 3>&-
	second=$?
	wait "$first"
	echo "$? $second"
) >"$WORK/both"
equal two-at-once/exits "$(cat "$WORK/both")" '0 0'
equal two-at-once/folders "$(find "$WORK/here" -name run.json | wc -l)" 3

# --- a full disk, in a mount namespace of its own
export PERFBPF TRUTH WORK
full() {
	# shellcheck disable=SC2016
	timeout 60 unshare -m --propagation private sh -c '
		mkdir -p "$WORK/full" && mount -t tmpfs -o size='"$1"' none "$WORK/full" || exit 77
		'"$2" >"$OUT" 2>"$ERR" </dev/null 3>&-
	RC=$?
}
# shellcheck disable=SC2016
full 64k 'dd if=/dev/zero of="$WORK/full/filler" bs=4k 2>/dev/null
	exec "$PERFBPF" run --quiet --target true -o "$WORK/full/results"'
if ((RC == 77)); then
	skip disk-full 'no mount namespace can be made here'
else
	equal disk-full/exit "$RC" 1
	check disk-full/says-why "$(error_line)" grep -qE '^perfbpf: .*No space left on device' "$ERR"
	check disk-full/names-folder "$(error_line)" grep -qF "$WORK/full/results" "$ERR"
	# It fills up while the run goes on.
	# shellcheck disable=SC2016
	full 256k '"$PERFBPF" run --quiet --rounds 1 -o "$WORK/full/results" --target \
			"sh -c \"dd if=/dev/zero of=$WORK/full/filler bs=4k 2>/dev/null; true\""
		rc=$?
		ls "$WORK/full/results" >&2
		exit "$rc"'
	equal disk-fills-up/exit "$RC" 1
	check disk-fills-up/says-why "$(error_line)" grep -qE '^perfbpf: .*No space left on device' "$ERR"
	check disk-fills-up/no-half-record 'half a run.json was left' \
		sh -c '! grep -qx run.json "$0"' "$ERR"
fi

if [[ -w /dev/full ]]; then
	"$PERFBPF" list metrics >/dev/full 2>"$ERR"
	equal full-output/list "$?" 1
	new_folder
	perfbpf run --quiet --target true -o "$DIR"
	"$PERFBPF" report "$DIR" --format csv >/dev/full 2>"$ERR"
	equal full-output/report "$?" 1
	check full-output/says-why "$(error_line)" grep -q 'No space left on device' "$ERR"
	"$PERFBPF" report "$DIR" --format json -o "$WORK/a-file/x" >/dev/null 2>"$ERR"
	check report-cannot-be-written "$(error_line)" grep -qF "$WORK/a-file/x" "$ERR"
fi

# --- the files for other programs: whole and well-formed, with one side and with two
# hdr_is_well_formed FILE: sections, each with its head, rows that only grow, and its end.
hdr_is_well_formed() {
	awk '
		function bad(why) { print FILENAME ":" FNR ": " why; failed = 1; exit 1 }
		FNR == 1 { if (!/^#\[perfbpf: milliseconds;.*\]$/) bad("no head"); next }
		/^#\[Latency [AB] / { if (inside) bad("a section begins inside of another"); inside = 1; rows = 0; next }
		/^ *Value +Percentile +TotalCount +1\/\(1-Percentile\)$/ { if (!inside) bad("columns of nothing"); next }
		/^ *[0-9.]+ [01]\.[0-9]+ +[0-9]+( +[0-9.]+)?$/ {
			if (!inside) bad("a row of nothing")
			if (rows++ && ($1 + 0 < value || $2 + 0 < percentile || $3 + 0 < total)) bad("it falls")
			value = $1 + 0; percentile = $2 + 0; total = $3 + 0
			next
		}
		/^#\[Mean +=/ { if (!rows || percentile != 1) bad("the last row is not 100 %"); next }
		/^#\[Max +=.*Total count +=/ { sub(/\]$/, ""); if ($NF != total) bad("counts differ"); next }
		/^#\[Buckets +=/ { inside = 0; sections++; next }
		/^$/ { next }
		{ bad("what is this: " $0) }
		END { if (!failed && (inside || !sections)) { print FILENAME ": it ends too early"; exit 1 } }
	' "$1"
}

# openmetrics_is_well_formed FILE: a type before its values, and one end.
openmetrics_is_well_formed() {
	awk '
		function bad(why) { print FILENAME ":" FNR ": " why; failed = 1; exit 1 }
		ended { bad("it goes on behind its end") }
		/^# EOF$/ { ended = 1; next }
		/^# TYPE [a-z_]+ (info|gauge|counter|histogram)$/ { if (type[$3]++) bad("a type twice"); name = $3; next }
		/^# (HELP|UNIT) [a-z_]+ ./ { next }
		/^[a-z_]+(\{.*\})? -?([0-9.]+([eE][-+]?[0-9]+)?|NaN|\+Inf)( [0-9.]+)?$/ {
			if (name == "" || index($0, name) != 1) bad("values of another metric than " name)
			values++
			next
		}
		{ bad("what is this: " $0) }
		END { if (!failed && (!ended || !values)) { print FILENAME ": no end or no values"; exit 1 } }
	' "$1"
}

# its_files NAME: those of the results in DIR.
its_files() {
	local file
	for file in latency.hdr.txt metrics.openmetrics.txt; do
		check "$1/$file" "it is missing or empty; there are: $(ls "$DIR")" test -s "$DIR/$file"
	done
	check "$1/hdr" "$(hdr_is_well_formed "$DIR/latency.hdr.txt")" hdr_is_well_formed "$DIR/latency.hdr.txt"
	check "$1/openmetrics" "$(openmetrics_is_well_formed "$DIR/metrics.openmetrics.txt")" \
		openmetrics_is_well_formed "$DIR/metrics.openmetrics.txt"
	equal "$1/openmetrics-end" "$(tail -n 1 "$DIR/metrics.openmetrics.txt")" '# EOF'
	# `report` makes the same of the record.
	perfbpf report "$DIR" --format hdr
	check "$1/hdr-again" 'report --format hdr tells something else' cmp "$OUT" "$DIR/latency.hdr.txt"
	perfbpf report "$DIR" --format openmetrics
	check "$1/openmetrics-again" 'report --format openmetrics tells something else' \
		cmp "$OUT" "$DIR/metrics.openmetrics.txt"
}

if measure one-side --target "$TRUTH/burn 2 0.5"; then
	its_files one-side
	# Each latency that has values has a section, and the histogram the same count.
	equal one-side/hdr-sections "$(grep -c '^#\[Latency A ' "$DIR/latency.hdr.txt")" \
		"$(value '[.rounds[0].latency[] | select(.count > 0)] | length')"
	equal one-side/same-counts \
		"$(sed -n 's/^#\[Latency A \([^,]*\),.* \([0-9]*\) values\]$/\1 \2/p' "$DIR/latency.hdr.txt" | sort)" \
		"$(value '.rounds[0].latency | to_entries[] | select(.value.count > 0) | "\(.key) \(.value.count)"' | sort)"
	equal one-side/openmetrics-counts \
		"$(sed -n 's/^perfbpf_latency_seconds_count{.*name="\([^"]*\)"} \([0-9]*\)$/\1 \2/p' \
			"$DIR/metrics.openmetrics.txt" | awk '$2 > 0' | sort)" \
		"$(value '.rounds[0].latency | to_entries[] | select(.value.count > 0) | "\(.key) \(.value.count)"' | sort)"
fi
if measure two-sides --target "$TRUTH/burn 2 0.3" --vs "sh -c '$TRUTH/burn 1 0.3 # \"quoted\", {x}'"; then
	its_files two-sides
	check two-sides/hdr-b 'no section of side B' grep -q '^#\[Latency B run_queue, ' "$DIR/latency.hdr.txt"
	check two-sides/openmetrics-b 'nothing of side B' grep -q '{side="B",' "$DIR/metrics.openmetrics.txt"
fi
# Nothing was measured in time: a folder all the same, with files that can be read.
if measure nothing --without requests,time,io --target true; then
	check nothing/hdr 'no head' grep -q '^#\[perfbpf: ' "$DIR/latency.hdr.txt"
	check nothing/openmetrics "$(openmetrics_is_well_formed "$DIR/metrics.openmetrics.txt")" \
		openmetrics_is_well_formed "$DIR/metrics.openmetrics.txt"
fi
