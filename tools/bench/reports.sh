# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What reports of a large record take. Read by bench.sh.
# shellcheck disable=SC2154

# timed NAME COMMAND...: its seconds and its largest memory in MB are in $work/NAME.
timed() {
	local name=$1
	shift
	/usr/bin/time -o "$work/$name" -f '%e %M' "$@" >/dev/null 2>"$work/err" || return
	awk '{ printf "%.2f s, %d MB\n", $1, $2 / 1024 }' "$work/$name" >"$work/$name.text"
}

# 1,000 rounds of 3,600 ticks, as of a hundred hours at 100 ms.
large_reports() {
	local record=$work/large/run.json format beside='-'
	if ! have python3 || ! have /usr/bin/time; then
		row 'report of a large record' 'skipped: no python3, or no time' '<= 5 s, <= 300 MB' '-'
		return
	fi
	mkdir -p "$work/large"
	python3 -B "$ROOT/tests/integration/big_record.py" "$ROOT/tests/fuzz/corpus/record/commands.json" 1000 3600 >"$record" ||
		return
	timed python python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$record" &&
		beside="json.load() of Python alone: $(cat "$work/python.text")"
	for format in text csv json; do
		timed "$format" "$perfbpf" report "$work/large" --format "$format" || return
		row "report --format $format of $(($(stat -c %s "$record") / 1000000)) MB" "$(cat "$work/$format.text")" \
			'<= 5 s, <= 300 MB' "$beside"
		beside='-'
	done
}
