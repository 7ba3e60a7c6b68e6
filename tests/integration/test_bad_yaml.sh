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

# What can be known without a target is said by --check: of an http scenario with LINES more.
http() {
	printf '%s\n' 'driver: http' 'phases: [{name: m, role: measured, duration: 1s, executor: constant-vus, vus: 1}]' \
		"http: {url: 'http://127.0.0.1:\${port}', requests: [{name: all, path: '$2'}]}" "$3" >"$WORK/$1.yaml"
}
# checked NAME REGEX, or NAME alone for what is right.
checked() {
	LIMIT=20 perfbpf drive --check "$WORK/$1.yaml"
	if (($# == 1)); then
		check "check/$1" "exit $RC: $(error_line)" test "$RC" = 0
	else
		check "check/$1" "exit $RC: $(error_line)" grep -qE "^perfbpf: $WORK/$1.yaml:[0-9]+:[0-9]+: .*$2" "$ERR"
		check "check/$1-code" "exit $RC" test "$RC" = 2
	fi
}
http all '/${iteration}/${port.other}' 'thresholds: {"latency.response{phase:m}": p(95)<1s, "latency.service{kind:all}": p(95)<1s}'
checked all
http unused-key / ''
sed -i 's/vus: 1/vus: 1, rate: 7/' "$WORK/unused-key.yaml"
checked unused-key 'phases\[0\].rate.*constant-vus'
http hook / 'hooks: {prepare: [["true", "${nope}"]]}'
checked hook 'hooks.prepare\[0\]\[1\].*nope'
http section '/${itertion}' ''
checked section 'http.requests\[0\].path.*iteration'
http https / 'components: [{name: a, command: ["true"], ready: {http: "https://127.0.0.1:1/"}}]'
checked https 'components\[0\].ready.http.*http://'
http phase / 'thresholds: {"latency.response{phase:n}": p(95)<1s}'
checked phase "phase:n.*no measured phase.*'m'"
http kind / 'thresholds: {"latency.response{kind:al}": p(95)<1s}'
checked kind "kind:al.*did you mean 'all'"
http latency / 'thresholds: {latency.respone: p(95)<1s}'
checked latency "did you mean 'response'"
http no-limits / 'components: [{name: a, command: ["true"], limits: {}}]'
checked no-limits 'components\[0\].limits.*limits nothing'
http no-target-limits / 'target_limits: {}'
checked no-target-limits 'target_limits.*limits nothing'
cp "$target" "$WORK/target.yaml"
checked target 'this is a target, not a scenario'
LIMIT=20 perfbpf drive "$WORK/all.yaml"
check drive/says-set "exit $RC: $(error_line)" grep -q -- "--set NAME=VALUE: .*all.yaml:3:.*port" "$ERR"
# What only the target could bring is looked at with it.
http of-target / 'hooks: {prepare: [["true", "${port.b}"]]}'
checked of-target
LIMIT=20 perfbpf run --quiet -o "$WORK/no-folder" --target 'sleep 1' --scenario "$WORK/of-target.yaml"
check plan/of-target "exit $RC: $(error_line)" grep -q "of-target.yaml:4:.*hooks.prepare.*port.b" "$ERR"

# Who may only call perfbpf with sudo becomes root by no file.
printf 'command: ["true"]\nuser: root\n' >"$WORK/as-root.yaml"
printf 'driver: command\nphases: [{name: m, role: measured, duration: 1s}]\ncommand: {command: ["true"]}\n' >"$WORK/plain.yaml"
if ((EUID == 0)); then
	SUDO_UID=65534 SUDO_GID=65534 LIMIT=20 perfbpf run --quiet -o "$WORK/no-folder" --target "$WORK/as-root.yaml" --scenario "$WORK/plain.yaml"
	check sudo/no-root-by-file "exit $RC: $(error_line)" grep -q "target 'as-root', user root: a file runs nothing as root" "$ERR"
else
	skip sudo/no-root-by-file 'only root heeds SUDO_UID'
fi
