#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Where results go: a folder that exists, cannot be written, or is full; whose they are.
# shellcheck disable=SC2016
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
