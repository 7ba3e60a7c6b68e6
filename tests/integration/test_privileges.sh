#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Not root: what is missing is named; with the capabilities that are named it works.
# Root: the side runs as the user who called sudo, and the results are that user's.
# shellcheck disable=SC2016
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf
need_command setpriv
nobody_can_reach "$PERFBPF" || skip_all 'user nobody cannot reach the build folder'

mkdir -m 777 "$WORK/open"
chmod 777 "$WORK/open"

# --- without any right
timeout 20 setpriv --reuid="$NOBODY" --regid="$NOBODY" --clear-groups --inh-caps=-all "$PERFBPF" \
	run --quiet --target true -o "$WORK/open/none" >"$OUT" 2>"$ERR" </dev/null 3>&-
equal not-root/exit "$?" 3
check not-root/CAP_BPF "$(error_line)" grep -q CAP_BPF "$ERR"
check not-root/CAP_PERFMON "$(error_line)" grep -q CAP_PERFMON "$ERR"
check not-root/no-folder 'a results folder was made' test ! -e "$WORK/open/none"
timeout 20 setpriv --reuid="$NOBODY" --regid="$NOBODY" --clear-groups --inh-caps=-all "$PERFBPF" \
	attach $$ --duration 200ms -o "$WORK/open/none" >"$OUT" 2>"$ERR" </dev/null 3>&-
equal not-root/attach "$?" 3

# --- a kernel without type information
timeout 30 unshare -m --propagation private sh -c 'mount -t tmpfs none /sys/kernel/btf || exit 77
	exec "$0" run --quiet --target true -o "$1"' "$PERFBPF" "$WORK/open/none" >"$OUT" 2>"$WORK/no-btf" </dev/null 3>&-
status=$?
if ((status == 77)); then
	skip no-btf 'nothing can be mounted over /sys/kernel/btf here'
else
	equal no-btf/exit "$status" 3
	check no-btf/says-so "$(tail -n 1 "$WORK/no-btf")" grep -q '^perfbpf: .*BTF' "$WORK/no-btf"
	equal no-btf/one-line "$(grep -c . "$WORK/no-btf")" 1
fi

# --- with what the message named
named=$(grep -oE 'CAP_[A-Z_]+' "$ERR" | sort -u)
grants=
for capability in $named; do
	capability=${capability#CAP_}
	grants+=,+${capability,,}
done
# run_with_capabilities FOLDER ARGUMENT...
run_with_capabilities() {
	local folder=$1
	shift
	timeout 60 setpriv --reuid="$NOBODY" --regid="$NOBODY" --clear-groups \
		--inh-caps="${grants#,}" --ambient-caps="${grants#,}" "$PERFBPF" \
		run --quiet --rounds 1 -o "$folder" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&-
	RC=$?
}
DIR=$WORK/open/with
T=$WORK/open/truth.json
run_with_capabilities "$DIR" --target "$TRUTH/burn 2 0.7 --truth $T"
equal with-capabilities/exit "$RC" 0
if ((RC == 0)); then
	within with-capabilities/cpu "$(value '.rounds[0].cpu.total_seconds')" \
		"$(value .cpu_seconds "$T")" 0.5 0.002
	equal with-capabilities/owner "$(stat -c %u "$DIR/run.json")" "$NOBODY"
else
	error_line
fi
run_with_capabilities "$WORK/open/effective-result" --target "sh -c 'grep CapEff /proc/self/status > $WORK/open/effective'"
equal with-capabilities/side-has-none "$(awk '{ print $2 }' "$WORK/open/effective")" 0000000000000000

# --- as the user who called sudo
export SUDO_UID=$NOBODY SUDO_GID=$NOBODY
perfbpf run --quiet --rounds 1 -o "$WORK/open/sudo" \
	--target "sh -c '{ id -u; id -g; id -G; } > $WORK/open/ids; grep Cap /proc/self/status > $WORK/open/caps'"
unset SUDO_UID SUDO_GID
equal sudo/exit "$RC" 0
equal sudo/side-ids "$(tr '\n' ' ' <"$WORK/open/ids")" "$NOBODY $NOBODY $NOBODY "
equal sudo/side-capabilities \
	"$(awk '/CapEff|CapPrm|CapInh|CapAmb/ { print $2 }' "$WORK/open/caps" | sort -u | tr '\n' ' ')" \
	'0000000000000000 '
equal sudo/results-owner \
	"$(find "$WORK/open/sudo" -printf '%U:%G\n' | sort -u | tr '\n' ' ')" "$NOBODY:$NOBODY "

# --- as a user who was named
rm -f "$WORK/open/ids"
perfbpf run --quiet --rounds 1 --user nobody -o "$WORK/user" --target "sh -c 'id -u > $WORK/open/ids'"
equal user/exit "$RC" 0
equal user/side-id "$(cat "$WORK/open/ids")" "$NOBODY"
rm -f "$WORK/open/ids"
perfbpf run --quiet --rounds 1 --user "$NOBODY" -o "$WORK/user-2" --target "sh -c 'id -u > $WORK/open/ids'"
equal user/by-number "$(cat "$WORK/open/ids")" "$NOBODY"

# --- what needs no right at all
for arguments in list 'list targets' 'list scenarios' 'list metrics' --version --help 'run --help'; do
	# shellcheck disable=SC2086
	as_nobody "$PERFBPF" $arguments >"$OUT" 2>"$ERR" </dev/null
	equal "ordinary-user/${arguments// /-}" "$?" 0
done
chmod -R a+rX "$WORK"
for format in text json csv md; do
	as_nobody "$PERFBPF" report "$WORK/user" --format "$format" >"$OUT" 2>"$ERR" </dev/null
	equal "ordinary-user/report-$format" "$?" 0
done
