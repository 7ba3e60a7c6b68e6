#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --profile and --freq: what they leave out is neither sampled nor told, what they do not understand
# ends in 2. Names of files in other mount namespaces; and what was lost is counted.
# shellcheck disable=SC2016
# lane: shared
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stacks.sh"

# refused NAME REGEX OPTION...
refused() {
	local name=$1 regex=$2
	shift 2
	LIMIT=20 perfbpf run --target true -o "$WORK/none" "$@"
	equal "$name/exit" "$RC" 2
	check "$name/message" "no /$regex/ in: $(cat "$ERR")" grep -qE -- "$regex" "$ERR"
	check "$name/no-folder" 'a results folder was made' test ! -e "$WORK/none"
}

both='oncpu, offcpu, both .*and none'
refused profile-foo "--profile 'foo'.*$both" --profile foo
refused profile-one-of-two "--profile 'foo'.*$both" --profile oncpu,foo
refused profile-none-and-one "--profile 'none'.*$both" --profile none,oncpu
refused profile-empty "--profile ''.*$both" --profile ''
refused profile-comma "--profile ''.*$both" --profile oncpu,
for freq in 0 -1 10001 x '' 1e9 99hz; do
	refused "freq-$freq" "--freq '$freq'.*from 1 to 10000" "--freq=$freq"
done

need_bpf

# leaves NAME OPTION... -- ONCPU OFFCPU: types of what the record has of the two.
leaves() {
	local name=$1 options=()
	shift
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	measure "$name" "${options[@]}" --target "$TRUTH/burn 2 0.3" || return
	equal "$name/record" "$(value '.rounds[0].profile | "\(.oncpu | type) \(.offcpu | type)"')" "$2 $3"
	equal "$name/programs" "$(value '[.rounds[0].observer.programs[].name
		| select(startswith("profile_o"))] | sort | join(" ")')" \
		"$([[ $3 == object ]] && printf 'profile_offcpu'; [[ $2$3 == objectobject ]] && printf ' '
			[[ $2 == object ]] && printf 'profile_oncpu')"
	check "$name/files" 'stacks.json.gz is there, and should not, or the other way round' \
		test "$([[ -e $DIR/stacks.json.gz ]] && echo there)" = "$([[ $2$3 == nullnull ]] || echo there)"
	nothing_lost "$name"
}
leaves none --profile none -- null null
leaves oncpu --profile oncpu -- object null
leaves offcpu --profile offcpu -- null object
leaves both --profile offcpu,oncpu -- object object
leaves default -- object object
# Who does not know when a thread waits cannot look at one that does.
leaves without-time --without time -- object null

# As often as it is asked for, at both ends.
for freq in 20 9999; do
	measure "freq-$freq" --profile oncpu --freq $freq --target "$TRUTH/burn 1 1.5" || continue
	within "freq-$freq/samples" "$(of_profile oncpu samples)" \
		"$(value "$freq * .rounds[0].profile.oncpu.exact_seconds")" 5 8
	within "freq-$freq/seconds" "$(of_profile oncpu sampled_seconds)" "$(of_profile oncpu exact_seconds)" 5 \
		"$(jq -n "8 / $freq")"
	equal "freq-$freq/told" "$(of_profile oncpu frequency_hertz)" $freq
done

# While perfbpf does not run nobody tells the kernel how to walk: 32 KB of each stack are kept for
# it, until there is no room any more. What is then lost is counted, and the rest is right.
new_folder
start_perfbpf run --quiet --rounds 1 --debug -o "$DIR" --profile oncpu --freq 9999 \
	--target "$TRUTH/stack_depth 240 2"
if wait_for 15 window_is_open; then
	kill -STOP "$PID"
	sleep 1.5
	kill -CONT "$PID"
	wait_end 30
	equal lost/exit "$RC" 0
	holds lost/counted '.rounds[0].observer.losses.stacks > 100'
	within lost/all-are-told "$(value '.rounds[0] | .profile.oncpu.samples + .observer.losses.stacks')" \
		"$(value '9999 * .rounds[0].profile.oncpu.exact_seconds')" 5
	stacks_read lost && equal lost/chain "$(awk -F'\t' '$2 == "complete" && $8 ~ /;down;/ &&
		$8 !~ /main;down/ { print $8 }' "$DIR/lines" | head -n 1)" ''
else
	fail lost "the window did not open: $(error_line)"
	kill -KILL "$PID"
fi

# A program of another mount namespace, whose path leads to another program here.
cp "$TRUTH/stack_frames" "$WORK/inner"
if ! unshare -m mount --bind "$TRUTH/stack_tree" "$WORK/inner" 2>/dev/null; then
	skip namespace 'no mount namespace can be made here'
else
	inside=(unshare -m sh -c "mount --bind $TRUTH/stack_tree $WORK/inner && exec $WORK/inner \"\$@\"" sh)
	printf '#!/bin/sh\nexec' >"$WORK/inside"
	printf ' %q' "${inside[@]}" >>"$WORK/inside"
	printf ' "$@"\n' >>"$WORK/inside"
	chmod 755 "$WORK/inside"
	if measure namespace --profile oncpu --freq 999 --target "$WORK/inside 1 --truth $T" &&
		stacks_read namespace; then
		complete namespace oncpu inner 98
		shares namespace inner 2.5
	fi
	start_other "$WORK/inside" 10
	is_inside() { [[ $(readlink "/proc/$OTHER/exe") == "$WORK/inner" ]]; }
	wait_for 5 is_inside
	new_folder
	perfbpf attach "$OTHER" --quiet -o "$DIR" --duration 1s --profile oncpu --freq 999
	kill "$OTHER"
	equal namespace-attach/exit "$RC" 0
	if stacks_read namespace-attach; then
		complete namespace-attach oncpu inner 98
		chain namespace-attach inner alpha_left 'main;turn;alpha;alpha_left'
		between namespace-attach/alpha "$(sum oncpu inner ';main;turn;alpha;')" \
			"$(value '.rounds[0].profile.oncpu.samples * 0.4')" "$(value '.rounds[0].profile.oncpu.samples * 0.6')" 0
	fi
fi
