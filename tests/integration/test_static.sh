#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The static build: one file without a library, which measures as well where there is nothing but it.
# lane: shared
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"
need_command make readelf tar

if ! timeout 300 make -s static-dist >"$OUT" 2>"$ERR"; then
	grep -q 'cannot find -l' "$ERR" &&
		skip_all "an archive for static linking is missing: $(grep -m 1 -o 'cannot find -l.*' "$ERR")"
	fail build "$(tail -n 1 "$ERR")"
	exit
fi
ok build
tarball=$(tail -n 1 "$OUT")
check quiet "the linker said: $(head -n 3 "$ERR")" test ! -s "$ERR"
sum=$(sha256sum <"$tarball")
timeout 60 make -s static-dist >/dev/null
equal reproducible "$(sha256sum <"$tarball")" "$sum"

mkdir "$WORK/root" && tar -xzf "$tarball" -C "$WORK/root" --strip-components=1
program=$WORK/root/bin/perfbpf
check no-dynamic-section "$(readelf -d "$program")" grep -q 'no dynamic section' <(readelf -d "$program" 2>&1)
check no-interpreter 'it has an interpreter' test -z "$(readelf -l "$program" | grep INTERP)"
equal version "$("$program" --version)" "$("$PERFBPF" --version)"
for file in share/perfbpf/scenarios/kubelogs/basic.yaml share/perfbpf/scenarios/scripts share/doc/perfbpf/README.md \
	share/doc/perfbpf/LICENSE; do
	check "tarball/$file" 'it is not there' test -e "$WORK/root/$file"
done

need_bpf
need_command unshare chroot gcc
unshare -m --propagation private true 2>/dev/null || skip_all 'no mount namespace can be had here'
for name in burn pages; do
	gcc -std=gnu11 -O2 -D_GNU_SOURCE -Itests/truth -static -o "$WORK/root/bin/$name" "tests/truth/$name.c" \
		-lpthread 2>"$ERR" || skip_all "no static truth program: $(tail -n 1 "$ERR")"
done
mkdir -p "$WORK/root"/{proc,sys,tmp,etc,dev}
chmod 1777 "$WORK/root/tmp"
: >"$WORK/root/dev/null"
# Modules that nobody has: whoever followed this would find no user and no host.
printf '%s: nothing\n' passwd group hosts >"$WORK/root/etc/nsswitch.conf"
printf 'tester:x:4711:4712::/tmp:/bin/false\n' >"$WORK/root/etc/passwd"
printf 'testers:x:4712:\nmore:x:4713:tester\n' >"$WORK/root/etc/group"
printf '127.0.0.9 somewhere\n' >"$WORK/root/etc/hosts"

# in_root COMMAND...: where there is nothing but the tarball. Its mounts end with it.
in_root() {
	PERFBPF_TEST_MARK=$MARK timeout -k 10 60 unshare -m --propagation private sh -c '
		mount -t proc proc "$0/proc" && mount --rbind /sys "$0/sys" &&
			mount --bind /dev/null "$0/dev/null" && exec chroot "$0" "$@"' \
		"$WORK/root" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&-
	RC=$?
	((RC == 0)) || tail -n 20 "$ERR" >&2
}

# measured NAME RESULT ARGUMENT...: a run in there.
measured() {
	local name=$1
	DIR=$WORK/root/$2
	in_root /bin/perfbpf run --quiet --rounds 1 -o "/$2" "${@:3}"
	equal "$name" "$RC $(error_line)" '0 '
}

in_root /bin/perfbpf doctor
check root/doctor "$(error_line)" grep -q 'works here' "$OUT"
for what in 'driver postgres' 'driver kafka' scrape; do
	check "root/doctor-says/${what// /-}" "$(cat "$OUT")" grep -A 1 "absent  $what" "$OUT"
done
in_root /bin/perfbpf list drivers
check root/list-drivers "$(cat "$OUT")" grep -q 'kafka .*static build loads no libraries' "$OUT"
in_root /bin/perfbpf list scenarios
check root/finds-scenarios "$(head -n 3 "$OUT" "$ERR")" grep -q kubelogs/basic "$OUT"

measured root/cpu cpu --target '/bin/burn 1 0.5 --truth /tmp/burn.json'
within root/cpu/exact "$(value '.rounds[0].cpu.total_seconds')" \
	"$(value .cpu_seconds "$WORK/root/tmp/burn.json")" 0.5 0.002
nothing_lost root/cpu
in_root /bin/perfbpf report /cpu
check root/report "$(error_line)" grep -q 'CPU time' "$OUT"
in_root /bin/perfbpf report /cpu --format junit
check root/report-junit "$(error_line)" grep -q '<testsuite name="command"' "$OUT"

# Symbols and unwinding, which need libelf and libdw.
check root/stacks 'no frame has a name' jq -e '.rounds[0].profile.oncpu | .frames_named > 0' "$DIR/run.json"

measured root/faults faults --target '/bin/pages 10000 --truth /tmp/pages.json'
within root/faults/exact "$(value '.rounds[0].memory.minor_faults')" \
	"$(value .minor_faults "$WORK/root/tmp/pages.json")" 0.5

# Users and hosts come from files, whatever modules are asked for; others by their number.
measured root/user user --user tester --target '/bin/burn 1 0.05 --truth /tmp/tester.json'
equal root/user/is-who "$(stat -c %u:%g "$WORK/root/tmp/tester.json")" 4711:4712
in_root /bin/perfbpf run --user nobody-of-this-name --target /bin/burn
check root/no-such-user "$(error_line)" grep -q "there is no user 'nobody-of-this-name'" "$ERR"
printf '%s\n' 'description: x' 'driver: http' 'http: {url: "http://somewhere:9", requests: [{name: x, path: /}]}' \
	'phases: [{name: x, role: measured, executor: constant-arrival-rate, rate: 10, duration: 300ms, maxVUs: 1}]' \
	>"$WORK/root/tmp/host.yaml"
in_root /bin/perfbpf drive /tmp/host.yaml
check root/host "$(error_line)" jq -e '.errors > 0 or .work.errors > 0' "$OUT"
sed -i 's/somewhere/nowhere.invalid/' "$WORK/root/tmp/host.yaml"
in_root /bin/perfbpf drive /tmp/host.yaml
check root/no-such-host "$(error_line)" grep -q "cannot find 'nowhere.invalid'" "$ERR"

# Nothing is left mounted.
check unmounted "$(grep -F "$WORK" /proc/mounts)" test -z "$(grep -F "$WORK" /proc/mounts)"
