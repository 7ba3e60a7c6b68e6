# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What the runners of tests share: several at a time, shown as if they had come one after the other.

# in_lanes LANES FUNCTION NAME...: `FUNCTION NAME` for each NAME, LANES of them at a time. What they print
# is shown whole, in the order of the names, as soon as it is known. Fails where one of them printed a
# line that begins with FAIL.
in_lanes() {
	local lanes=$1 function=$2 folder name begun=0 shown=0 status=0
	shift 2
	folder=$(mktemp -d) || return
	for name in "$@"; do
		while (($(jobs -rp | wc -l) >= lanes)); do
			wait -n
		done
		lanes_show
		{
			"$function" "$name" >"$folder/$begun.out" 2>"$folder/$begun.err"
			: >"$folder/$begun.ended"
		} &
		begun=$((begun + 1))
	done
	while (($(jobs -rp | wc -l) > 0)); do
		wait -n
		lanes_show
	done
	lanes_show
	if ((shown < begun)); then
		printf 'FAIL lanes: %s of %s did not end\n' $((begun - shown)) "$begun"
		status=1
	fi
	rm -rf "$folder"
	return "$status"
}

# lanes_show: what has ended, up to the first that has not. (Of in_lanes, whose variables it uses.)
lanes_show() {
	while [[ -e $folder/$shown.ended ]]; do
		cat "$folder/$shown.err" >&2
		cat "$folder/$shown.out"
		grep -q '^FAIL ' "$folder/$shown.out" && status=1
		shown=$((shown + 1))
	done
}
