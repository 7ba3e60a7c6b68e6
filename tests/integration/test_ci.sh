#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What CI systems get: JUnit's XML by its schema, and the workflow that the README shows, its steps run
# here as they would be there.
# lane: shared
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"
workflow=docs/github-actions.yaml
schema=tests/integration/junit.xsd

# --- the workflow as it is written -------------------------------------------------------
equal workflow/readme-shows-it "$(awk -v file="$workflow" '
	/^```yaml$/ { inside = 1; next }
	/^```$/ { inside = 0 }
	inside' README.md)" "$(cat "$workflow")"

if python3 -c 'import yaml' 2>/dev/null; then
	equal workflow/is-one "$(python3 tests/integration/workflow.py check "$workflow" 2>&1)" ''
else
	skip workflow/is-one 'there is no yaml for python3'
fi

# options COMMAND: those that its help names.
options() { "$PERFBPF" "$1" --help | grep -oE -- '--[a-z-]+' | sort -u; }

# known OPTIONS COMMAND: the workflow has them, and so has the command.
known() {
	equal "workflow/uses-of-$2" "$(grep -oE -- "${1// /|}" "$workflow" | sort -u | paste -sd' ')" "$1"
	equal "workflow/options-of-$2" "$(comm -23 <(tr ' ' '\n' <<<"$1") <(options "$2"))" ''
}

known '--baseline --gate --output --quiet --rounds --target --threshold --vs' run
known '--format' report
equal workflow/no-other-option "$(grep -v 'tar ' "$workflow" | grep -oE -- '--[a-z-]+' | sort -u | paste -sd' ')" \
	'--baseline --format --gate --output --quiet --rounds --target --threshold --vs'
while read -r format; do
	check "workflow/format-$format" 'there is no such format' grep -qw -- "$format" <("$PERFBPF" report --help)
done < <(grep -oE -- '--format [a-z-]+' "$workflow" | cut -d' ' -f2)

# --- the workflow as it runs -------------------------------------------------------------
need_bpf
need_command xmllint python3 tar
python3 -c 'import yaml' 2>/dev/null || skip_all 'there is no yaml for python3'

# A repository in two states, whose program does as much as the file `work` says; and perfbpf as
# the first job leaves it.
site=$WORK/site
mkdir -p "$site"/{base,head,bin} "$site/tarball/it/bin"
cp "$PERFBPF" "$site/tarball/it/bin/perfbpf"
tar -czf "$site/perfbpf.tar.gz" -C "$site/tarball" it
printf '#!/bin/sh\nexec "$@"\n' >"$site/bin/sudo"
chmod 755 "$site/bin/sudo"
for side in base head; do
	printf 'i=0; n=$(cat work); while [ $i -lt $n ]; do i=$((i + 1)); done\n' >"$site/$side/tool.sh"
	echo 20000 >"$site/$side/work"
done

# step WORD: the step of the job `measure` with WORD in it, as GitHub runs it. Fewer rounds: enough for two
# gates by Holm.
step() {
	python3 tests/integration/workflow.py step "$workflow" measure "$1" >"$WORK/step.sh" || return
	sed -i 's/--rounds 20/--rounds 8/' "$WORK/step.sh"
	(cd "$site" && PATH=$site/bin:$PATH COMMAND='sh tool.sh' GITHUB_STEP_SUMMARY=$site/summary.md \
		PERFBPF_TEST_MARK=$MARK timeout -k 10 60 bash --noprofile --norc -eo pipefail "$WORK/step.sh") \
		>"$OUT" 2>"$ERR" 3>&-
	RC=$?
	((RC == 0)) || tail -n 5 "$ERR" >&2
}

# run_workflow CODE: from the tarball to the report, which is made whatever the measuring ends in.
run_workflow() {
	rm -rf "$site/perfbpf" "$site/results" "$site/summary.md"
	step 'perfbpf run'
	equal "$NAME/exit-code" "$RC" "$1"
	step 'perfbpf report'
	equal "$NAME/report" "$RC" 0
	DIR=$site/results
	junit_holds "$NAME" "$DIR/junit.xml" "$1"
	check "$NAME/summary-is-small" "$(stat -c %s "$site/summary.md") bytes" \
		test "$(stat -c %s "$site/summary.md")" -lt 1048576
}

# junit_holds NAME FILE CODE: it is by the schema, its counts are true, and red where perfbpf ended in CODE.
junit_holds() {
	local red
	check "$1/schema" "$(xmllint --noout --schema "$schema" "$2" 2>&1 | head -n 3)" \
		xmllint --noout --schema "$schema" "$2"
	for word in tests:testcase failures:testcase/failure skipped:testcase/skipped; do
		equal "$1/${word%%:*}" "$(xmllint --xpath "string(//testsuite/@${word%%:*})" "$2")" \
			"$(xmllint --xpath "count(//${word#*:})" "$2")"
	done
	red=$(xmllint --xpath 'count(//failure)' "$2")
	equal "$1/red" "$((red > 0))" "$(($3 != 0))"
}

NAME=better
echo 7000 >"$site/head/work"
run_workflow 0
equal better/annotations "$(cut -d' ' -f1 "$OUT" | sort -u)" '::notice'
check better/summary "$(head -n 1 "$site/summary.md")" grep -q '^## ✅' "$site/summary.md"
[[ -d $site/results ]] && cp -r "$site/results" "$site/baseline"

NAME=worse
echo 60000 >"$site/head/work"
run_workflow 98
check worse/annotation "$(cat "$OUT")" grep -q '^::error title=command comparison::B against A: cpu.total_seconds' "$OUT"
check worse/baseline "$(cat "$OUT")" grep -q '^::error title=command baseline::B: cpu.total_seconds' "$OUT"
check worse/summary "$(head -n 1 "$site/summary.md")" grep -q '^## ❌' "$site/summary.md"

# --- what means harm ----------------------------------------------------------------------
# Every string of a record, without those that must be one of a few words.
planted=$WORK/planted
mkdir "$planted"
jq '(.targets[].name, .targets[].version, .targets[].argv[], .scenario.name, .perfbpf.argv[], .host.kernel,
	   .verdict.text) |= "<script>\"'\''`|\u0001\u001b[31m\ufffe ]]> ::error::\r\n&#0; %0A"
	| .rounds[0].validity = {valid: false, reasons: ["\u0008]]><failure>\ud83d\ude00\n::error::x"]}
	| .notes = ["\u000b<![CDATA["]' "$site/results/run.json" >"$planted/run.json" 2>"$ERR"
perfbpf report "$planted" --format junit -o "$planted/junit.xml"
equal planted/read "$RC $(error_line)" '0 '
junit_holds planted "$planted/junit.xml" 96
equal planted/name "$(xmllint --xpath 'string(//property[@name="A"]/@value)' "$planted/junit.xml" | head -c 22)" \
	$'<script>"\'`|\ufffd\ufffd[31m'
perfbpf report "$planted" --format github-annotations
equal planted/annotations "$(grep -cvE '^::(error|warning|notice) title=[^:,]*::' "$OUT")" 0
