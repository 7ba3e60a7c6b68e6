#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Bad scenario and target files: exit 2, and file:line:column with the key.
# shellcheck disable=SC2016
# lane: shared
. "$(dirname "$0")/lib.sh"

# bad_file KIND NAME REGEX: $WORK/NAME.yaml is refused; REGEX matches the line of error.
bad_file() {
	local kind=$1 name=$2 regex=$3 file=$WORK/$2.yaml
	if [[ $kind == scenario ]]; then
		LIMIT=20 perfbpf run --quiet -o "$WORK/no-folder" --target curl --scenario "$file"
	else
		LIMIT=20 perfbpf run --quiet -o "$WORK/no-folder" --target "$file" --scenario kubelogs/basic
	fi
	if [[ $RC != 2 ]]; then
		fail "$kind/$name" "exit $RC instead of 2: $(error_line)"
	elif (($(grep -c '^perfbpf: ' "$ERR") != 1)); then
		fail "$kind/$name" "not one line of error: $(head -c 400 "$ERR")"
	elif ! error_line | grep -qE -- "$regex"; then
		fail "$kind/$name" "no /$regex/ in: $(error_line)"
	else
		ok "$kind/$name"
	fi
}

# with NAME LINE: the good scenario with a line more at its end; AT is where that line is.
good=scenarios/kubelogs/basic.yaml
with() {
	{ cat "$good"; printf '%s\n' "$2"; } >"$WORK/$1.yaml"
	AT=$WORK/$1.yaml:$(grep -c '' "$WORK/$1.yaml")
}

with unknown-key 'duraton: 5s'
bad_file scenario unknown-key "$AT:1.*duraton"
with wrong-type-number 'rounds: many'
sed -i '0,/^rounds: [0-9]/{/^rounds: [0-9]/d}' "$WORK/wrong-type-number.yaml"
AT=$WORK/wrong-type-number.yaml:$(grep -c '' "$WORK/wrong-type-number.yaml")
bad_file scenario wrong-type-number "$AT:[0-9]+.*rounds"
sed '/^driver:/d' "$good" >"$WORK/missing-key.yaml"
bad_file scenario missing-key "$WORK/missing-key.yaml:[0-9]+:[0-9]+.*driver"
sed 's/^driver:.*/driver: kubelog/' "$good" >"$WORK/unknown-driver.yaml"
AT=$WORK/unknown-driver.yaml:$(grep -n '^driver:' "$WORK/unknown-driver.yaml" | cut -d: -f1)
bad_file scenario unknown-driver "$AT:[0-9]+.*kubelog.*kubelogs"
with duplicate-key "$(grep -m 1 '^driver:' "$good")"
bad_file scenario duplicate-key "$AT:[0-9]+.*driver"
with not-closed 'x: [1, 2'
bad_file scenario not-closed "$WORK/not-closed.yaml:[0-9]+:[0-9]+"
with mapping-as-text 'description: {a: b}'
sed -i '0,/^description:/{/^description:/d}' "$WORK/mapping-as-text.yaml"
AT=$WORK/mapping-as-text.yaml:$(grep -c '' "$WORK/mapping-as-text.yaml")
bad_file scenario mapping-as-text "$AT:[0-9]+.*description"
: >"$WORK/empty.yaml"
bad_file scenario empty "$WORK/empty.yaml"
printf 'just text\n' >"$WORK/no-mapping.yaml"
bad_file scenario no-mapping "$WORK/no-mapping.yaml:1:1"
printf 'a: \377\376\n' >"$WORK/not-utf8.yaml"
bad_file scenario not-utf8 "$WORK/not-utf8.yaml"
printf 'driver: "kube\x1b[31mlogs"\n' >"$WORK/control.yaml"
LIMIT=20 perfbpf run --quiet -o "$WORK/no-folder" --target curl --scenario "$WORK/control.yaml"
check scenario/no-control-characters 'an escape sequence of the file went to the terminal' \
	test "$(tr -dc '\033' <"$ERR" | wc -c)" = 0
{ printf 'a: &a [x,x,x,x,x,x,x,x,x]\n'
	for c in b c d e f g h i; do
		p=$(printf %s "$c" | tr b-i a-h)
		printf '%s: &%s [*%s,*%s,*%s,*%s,*%s,*%s,*%s,*%s,*%s]\n' "$c" "$c" "$p" "$p" "$p" "$p" "$p" "$p" "$p" "$p" "$p"
	done; } >"$WORK/bomb.yaml"
bad_file scenario bomb "$WORK/bomb.yaml"

target=scenarios/targets/curl.yaml
{ cat "$target"; printf 'comand: [x]\n'; } >"$WORK/unknown-key.yaml"
bad_file target unknown-key "$WORK/unknown-key.yaml:$(grep -c '' "$WORK/unknown-key.yaml"):1.*comand.*command"
{ grep -v '^install:' "$target"; printf 'install: [a, b]\n'; } >"$WORK/wrong-type.yaml"
bad_file target wrong-type "$WORK/wrong-type.yaml:$(grep -c '' "$WORK/wrong-type.yaml"):[0-9]+.*install"
printf 'description: x\ncommand: [curl, "${prot}"]\n' >"$WORK/unknown-variable.yaml"
bad_file target unknown-variable 'prot'
