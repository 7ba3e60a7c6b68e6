#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What comes from outside is made harmless in each format that there is: names, arguments and texts with
# markup, quotes, new lines, sequences for terminals, broken UTF-8, formulas, commands of a workflow.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf
need_command python3

# --- a real program, with a name and arguments that mean harm
name=$'<b>\x1b[31m"\n\xff|`'
word=$'<script>alert(1)</script>"&\n::error::PLANTED\n\x1b[31m\xff\xe2\x80\xa8=1+1'
# shellcheck disable=SC2016
printf '#!/bin/sh\nexec "%s" "$NAME" 150 "$WORD" "$@"\n' "$TRUTH/planted" >"$WORK/$(printf '<i>a|b')"
chmod 755 "$WORK/<i>a|b"
new_folder
NAME=$name WORD=$word perfbpf run --rounds 2 -o "$DIR" --target "'$WORK/<i>a|b' '$word'" --vs "$TRUTH/planted x 150"
equal real/run "$RC" 0
check real/on-the-terminal 'a raw escape sequence' test -z "$(cat "$OUT" "$ERR" | tr -dc '\033')"
holds real/comm-is-there '[.rounds[] | select(.side == "A") | .processes[].comm] | any(startswith("<b>\u001b[31m"))'
holds real/argument-is-there '.targets[0].argv[1] | startswith("<script>alert(1)</script>")'

# Every format that this program has, those too of which this test has not heard.
"$PERFBPF" report "$DIR" --format nonsense >"$OUT" 2>"$ERR"
read -ra formats < <(sed -n 's/.*(formats: \(.*\)).*/\1/p' "$ERR")
check formats "$(error_line)" test "${#formats[@]}" -ge 13

# is_refused FORMAT: one is of commands only, one of loads only, for the record called name.
is_refused() {
	case $name in
	real | commands) [[ $1 == csv-load ]] ;;
	*) [[ $1 == hyperfine ]] ;;
	esac
}

# harmless NAME FOLDER: all files of all formats are.
harmless() {
	local name=$1 made=$WORK/made/$1 format svg told
	for format in "${formats[@]}"; do
		mkdir -p "$made/$format"
		"$PERFBPF" report "$2" --format "$format" --all -o "$made/$format/" >"$OUT" 2>"$ERR"
		RC=$?
		is_refused "$format" && RC=0
		((RC == 0)) || echo "$format: exit $RC: $(error_line)" >>"$made.told"
	done
	python3 -B tests/integration/exports.py check "$made" >>"$made.told" 2>&1
	mapfile -t svg < <(find "$made" -name '*.svg' -o -name '*.xml')
	command -v xmllint >/dev/null && ((${#svg[@]})) && xmllint --noout "${svg[@]}" 2>>"$made.told"
	for format in "${formats[@]}"; do
		told=$(grep -m 2 "^${format}[ :]" "$made.told")
		if [[ -n $told ]]; then
			fail "$name/$format" "$told"
		elif ! is_refused "$format"; then
			check "$name/$format" 'no file was written' test -n "$(ls "$made/$format")"
		fi
	done
	told=$(grep -vE "^($(IFS='|' && echo "${formats[*]}"))[ :]" "$made.told")
	equal "$name/readers" "$told" ''
}

harmless real "$DIR"
for which in commands scenario everything; do
	python3 -B tests/integration/exports.py plant "$DIR" "$WORK/$which" "$which"
	harmless "$which" "$WORK/$which"
done
# That the test would see it: a raw sequence, markup and a line of its own.
mkdir -p "$WORK/bad/"{text,later,md}
printf 'a\033[31m\n' >"$WORK/bad/text/bad.txt"
printf '<p><script>alert(1)</script></p>\n' >"$WORK/bad/later/bad.html"
printf 'x\n::error::PLANTED\n' >"$WORK/bad/md/bad.md"
equal seen "$(python3 -B tests/integration/exports.py check "$WORK/bad" | cut -d' ' -f1 | sort -u | xargs)" 'later md text'
