#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Each export is read back by the program that it is for, and run.json by its schema.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf
need_command python3

new_folder
perfbpf run --quiet --rounds 6 --seed 1 -o "$DIR" --target "$TRUTH/burn 1 0.03" --vs "$TRUTH/burn 1 0.06" --profile none
equal run "$RC" 0

# export NAME FORMAT ARGUMENT...: $WORK/NAME is the run in that format.
export_as() {
	local name=$1 format=$2
	shift 2
	"$PERFBPF" report "$DIR" --format "$format" "$@" -o "$WORK/$name" 2>"$ERR" ||
		fail "export/$name" "exit $?: $(error_line)"
}

# --- benchstat
benchstat=$(PATH=$PATH:$HOME/.local/bin command -v benchstat)
export_as both.txt benchfmt
export_as a.txt benchfmt --side A
export_as b.txt benchfmt --side B
equal benchfmt/a-line-a-round "$(grep -c '^Benchmark' "$WORK/both.txt") $(grep -c '^Benchmark' "$WORK/a.txt")" '12 6'
check benchfmt/target-only-with-both 'the key keeps benchstat from comparing files' \
	test "$(grep -c '^target:' "$WORK/both.txt")/$(grep -c '^target:' "$WORK/a.txt")" = 2/0
if [[ -z $benchstat ]]; then
	skip benchstat 'there is no benchstat (tools/install-peers.sh --only benchstat)'
else
	# compared NAME ARGUMENT...: B takes twice the time, and benchstat says so.
	compared() {
		local name=$1 row
		shift
		"$benchstat" -format csv "$@" >"$WORK/csv" 2>"$ERR"
		row=$(sed -n '/sec\/op/,/^$/p' "$WORK/csv" | grep -m 1 '^Command,')
		# Command,A,CI,B,CI,+100%,p=0.002 n=6
		if [[ $row =~ ^Command,([0-9.e-]+),[^,]*,([0-9.e-]+),[^,]*,\+([0-9.]+)%,p=0.00[0-9]\ n=6$ ]]; then
			within "$name/a-median" "${BASH_REMATCH[1]}" \
				"$(value '[.rounds[] | select(.side == "A") | .window_seconds] | sort | (.[2] + .[3]) / 2')" 0.01
			between "$name/change" "${BASH_REMATCH[3]}" 40 120 0
		else
			fail "$name" "${row:-$(head -n 3 "$WORK/csv" "$ERR")}"
		fi
	}
	compared benchstat/by-target -col target "$WORK/both.txt"
	compared benchstat/files "$WORK/a.txt" "$WORK/b.txt"
	"$benchstat" -col target "$WORK/both.txt" >"$OUT" 2>"$ERR"
	check benchstat/scales-bytes "$(grep -A 2 rss_peak "$OUT")" grep -qE '^Command +[0-9.]+Mi ' "$OUT"
	check benchstat/no-complaint "$(head -n 2 "$ERR")" test ! -s "$ERR"
fi

# --- hyperfine
export_as hyperfine.json hyperfine
equal hyperfine/times "$(value '[.results[].times | length] | tostring' "$WORK/hyperfine.json")" '[6,6]'
within hyperfine/mean "$(value '.results[1].mean' "$WORK/hyperfine.json")" \
	"$(value '[.rounds[] | select(.side == "B") | .window_seconds] | add / length')" 1e-9
within hyperfine/user "$(value '.results[0] | .user + .system' "$WORK/hyperfine.json")" \
	"$(value '[.rounds[] | select(.side == "A") | .cpu.total_seconds] | add / length')" 1e-6
equal hyperfine/commands "$(value '[.results[].command | split(" ")[1:] | join(" ")] | tostring' "$WORK/hyperfine.json")" \
	'["1 0.03","1 0.06"]'
if command -v hyperfine >/dev/null; then
	hyperfine -N --runs 2 --export-json "$WORK/real.json" true false -i >"$OUT" 2>"$ERR"
	# That of Debian does not tell memory yet.
	jq 'del(.results[].memory_usage_byte)' "$WORK/hyperfine.json" >"$WORK/ours.json"
	told=$(python3 -B tests/integration/exports.py likewise "$WORK/real.json" "$WORK/ours.json")
	equal hyperfine/same-keys-and-types "$told" ''
else
	skip hyperfine/same-keys-and-types 'there is no hyperfine on PATH'
fi

# --- Bencher
export_as bencher.json bencher --all
equal bencher/form "$(value '[.. | objects | select(has("value"))] | length > 20 and
	all((.value | type) == "number" and .lower_value <= .value and .value <= .upper_value)' "$WORK/bencher.json")" true
equal bencher/slugs "$(value '[.[] | keys[]] | all(test("^[a-z0-9]+(-[a-z0-9]+)*$") and length <= 64)' "$WORK/bencher.json")" true
within bencher/latency-is-ns "$(value '[.[].latency.value] | min' "$WORK/bencher.json")" \
	"$(value '[.rounds[] | select(.side == "A") | .window_seconds] | sort | (.[2] + .[3]) / 2 * 1e9')" 1e-6
if python3 -c 'import jsonschema' 2>/dev/null; then
	cat >"$WORK/bmf.json" <<-'END'
		{"type": "object", "minProperties": 1, "additionalProperties": {"type": "object",
		  "additionalProperties": {"type": "object", "required": ["value"], "additionalProperties": false,
		  "properties": {"value": {"type": "number"}, "lower_value": {"type": "number"},
		                 "upper_value": {"type": "number"}}}}}
	END
	equal bencher/schema "$(python3 -B tests/integration/exports.py schema "$WORK/bmf.json" "$WORK/bencher.json")" ''
else
	skip bencher/schema 'there is no python3-jsonschema'
fi

# --- Prometheus
export_as metrics.txt openmetrics
# Debian's package would start a server with it: tools/install-peers.sh takes it out of there.
if command -v promtool >/dev/null; then
	# It reads the older text, which has neither units nor an end.
	grep -vE '^# (UNIT|EOF)' "$WORK/metrics.txt" | promtool check metrics >"$OUT" 2>&1
	RC=$?
	# 3: that it read all of it, and would call some things otherwise.
	check promtool "exit $RC: $(head -n 2 "$OUT")" test "$RC" = 0 -o "$RC" = 3
else
	skip promtool 'there is no promtool on PATH: tools/install-peers.sh --only promtool'
fi
/usr/bin/python3 - "$WORK/metrics.txt" >"$OUT" 2>"$ERR" <<-'END'
	import sys
	try:
	    from prometheus_client.openmetrics.parser import text_string_to_metric_families
	except ImportError:
	    print("skip")
	    sys.exit()
	with open(sys.argv[1], encoding="utf-8") as file:
	    families = {f.name: f for f in text_string_to_metric_families(file.read())}
	print(len(families["perfbpf_cpu_total_seconds"].samples), families["perfbpf_latency_seconds"].type)
END
case $(cat "$OUT") in
skip) skip openmetrics-parser 'there is no python3-prometheus-client' ;;
*) equal openmetrics-parser "$(cat "$OUT" "$ERR")" '12 histogram' ;;
esac

# --- the others: csv, HDR
export_as rounds.csv csv
equal csv/python "$(python3 -c 'import csv, sys
print([r["side"] for r in csv.DictReader(open(sys.argv[1], newline=""), strict=True)].count("B"))' "$WORK/rounds.csv")" 6
export_as hdr.txt hdr
# shellcheck disable=SC2016
check hdr/columns 'a line of another form' awk '/^#\[Latency/ { last = -1 }
	/^#/ || NF == 0 || /^ *Value/ { next }
	NF < 3 || $1 !~ /^[0-9.]+$/ || $2 <= last || $2 > 1 { bad = 1 }
	{ last = $2; n++ }
	END { exit bad || n < 5 }' "$WORK/hdr.txt"

# --- the schema of run.json
if python3 -c 'import jsonschema' 2>/dev/null; then
	"$PERFBPF" list schema >"$WORK/schema.json"
	check schema/as-published 'docs/run.schema.json is another one' cmp docs/run.schema.json "$WORK/schema.json"
	equal schema/follows "$(python3 -B tests/integration/exports.py schema docs/run.schema.json "$DIR/run.json" \
		tests/fuzz/corpus/record/*.json)" ''
	# mistake NAME FILTER: which must not follow it.
	mistake() {
		jq "$2" "$DIR/run.json" >"$WORK/mistake.json"
		check "schema/sees-$1" 'a mistake is not seen' \
			test -n "$(python3 -B tests/integration/exports.py schema docs/run.schema.json "$WORK/mistake.json")"
	}
	mistake a-string '.rounds[0].cpu.total_seconds = "1"'
	mistake a-fraction '.rounds[1].memory.minor_faults = 1.5'
	mistake a-missing-side 'del(.rounds[2].side)'
	mistake another-version '.schema = "perfbpf.run/2"'
	mistake a-word '.comparison[0].better = "faster"'
	mistake in-a-map '.rounds[0].latency.run_queue.count = "1"'
else
	skip schema 'there is no python3-jsonschema'
fi

# --- what cannot be exported says why
# refused NAME CODE TEXT ARGUMENT...
refused() {
	local name=$1 code=$2 text=$3
	shift 3
	"$PERFBPF" report "$@" >"$OUT" 2>"$ERR"
	RC=$?
	check "refused/$name" "exit $RC: $(error_line)" test "$RC" = "$code" -a "$(grep -cF -- "$text" "$ERR")" = 1
}
scenario=tests/fuzz/corpus/record/pair.json
refused scenario 2 'this run is one of a scenario' "$scenario" --format hyperfine
refused difference 2 '--side of benchfmt is A or B' "$DIR" --format benchfmt --side diff
refused side 2 '--side is of formats for stacks and of exports' "$DIR" --format csv --side A
refused kind 2 '--kind is of formats for stacks' "$DIR" --format benchfmt --kind oncpu
jq '.rounds[].validity = {valid: false, reasons: ["x"]}' "$DIR/run.json" >"$WORK/invalid.json"
refused invalid 96 'holds valid rounds only' "$WORK/invalid.json" --format bencher
refused invalid-file 96 'holds valid rounds only' "$WORK/invalid.json" --format bencher -o "$WORK/invalid.bmf"
check refused/leaves-no-file 'a file was left' test ! -e "$WORK/invalid.bmf"
