#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Stacks of programs whose call tree is known: shares of functions, complete stacks, names.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stacks.sh"
need_bpf
# In an emulated machine, where each run takes long, only what depends on the kernel: stacks of what
# runs, waits and is kept waiting, signals, and code that is mapped later or by the next process.
EMULATED=${PERFBPF_TEST_EMULATED:-}
LONG=2 SHORT=0.7
[[ -z $EMULATED ]] || LONG=0.8 SHORT=0.4
everywhere() { [[ -z $EMULATED ]]; }
# few_by_frame_pointer NAME: none of the program's own; some assembly of libraries says nothing of itself.
few_by_frame_pointer() {
	between "$1/by-frame-pointer" "$(of_profile oncpu by_frame_pointer)" 0 \
		"$(value '.rounds[0].profile.oncpu.samples / 200')" 0
}

# A tree of functions without frame pointers. Who shares a CPU runs for some ticks at a time, which
# keep step with the samples.
points=8
wait_for 5 machine_is_quiet && points=3
if sample tree "stack_tree $LONG"; then
	# The start, of which some is read too late there, is more of an emulated machine's shorter run.
	complete tree oncpu stack_tree "$(scaled 99 98)"
	few_by_frame_pointer tree
	starts_at tree stack_tree
	shares tree stack_tree 2
	chain tree stack_tree alpha_left 'main;turn;alpha;alpha_left'
	chain tree stack_tree beta_inner 'main;turn;beta;beta_inner;shared'
	chain tree stack_tree gamma_compare 'main;turn;gamma_sorts;[^;]*(;[^;]*)*;gamma_compare'
	chain tree stack_tree delta 'main;turn;delta'
	# As often as it is to be, and it stands for as much as the scheduler says.
	within tree/frequency "$(of_profile oncpu samples)" "$(value '999 * .rounds[0].profile.oncpu.exact_seconds')" $points 8
	within tree/seconds "$(of_profile oncpu sampled_seconds)" "$(of_profile oncpu exact_seconds)" $points 0.008
	within tree/exact "$(of_profile oncpu exact_seconds)" "$(value .cpu_seconds "$T")" 1 0.02
	nothing_lost tree
fi

# The same without a name in it: where its functions begin is known from its CFI.
if everywhere && sample stripped "stack_tree_stripped $SHORT"; then
	complete stripped oncpu stack_tree_stri 99
	equal stripped/no-names "$(sum oncpu '' ';(main|alpha|turn);')" 0
	rename_unknown stack_tree_stripped
	shares stripped stack_tree_stri 2.5
	chain stripped stack_tree_stri alpha_left '[^;]*stack_tree_stripped[^;]*;turn;alpha;alpha_left'
fi

# The same with frame pointers and nothing else.
if everywhere && sample frame-pointers "stack_tree_fp $SHORT"; then
	complete frame-pointers oncpu stack_tree_fp 97
	shares frame-pointers stack_tree_fp 2.5
	between frame-pointers/counted "$(of_profile oncpu by_frame_pointer)" \
		"$(value '.rounds[0].profile.oncpu.samples * 0.95 | floor')" "$(of_profile oncpu samples)" 0
	chain frame-pointers stack_tree_fp alpha_left 'turn;alpha;alpha_left'
fi

if [[ ! -x $TRUTH/stack_classes ]]; then
	skip classes 'there was no C++ compiler'
elif everywhere && sample classes "stack_classes $LONG"; then
	complete classes oncpu stack_classes 99
	few_by_frame_pointer classes
	shares classes stack_classes 2
	starts_at classes stack_classes
fi

if everywhere && sample depth "stack_depth 100 $SHORT"; then
	complete depth oncpu stack_depth 99
	# But for samples on its way down.
	between depth/frames "$(awk -F'\t' '$8 ~ /;down;/ {
		all += $5
		right += $5 * (gsub(/;down/, "", $8) == 100)
	} END { print all ? right / all : 0 }' "$DIR/lines")" 0.99 1 0
fi
# More than are kept: cut off, and said so.
if everywhere && sample deeper "stack_depth 400 0.3"; then
	between deeper/truncated "$(of_profile oncpu truncated)" \
		"$(value '.rounds[0].profile.oncpu.samples * 0.95 | floor')" "$(of_profile oncpu samples)" 0
	holds deeper/why '.rounds[0].profile.oncpu.complete + .rounds[0].profile.oncpu.truncated
		== .rounds[0].profile.oncpu.samples'
	between deeper/too-deep "$(awk -F'\t' '$2 == "too deep" { n += $5 } END { print n + 0 }' "$DIR/lines")" \
		"$(value '.rounds[0].profile.oncpu.samples * 0.5 | floor')" "$(of_profile oncpu samples)" 0
fi

for options in '' --altstack; do
	name=signal${options#-}
	everywhere || [[ -n $options ]] || continue
	if sample "$name" "stack_signal $LONG $options"; then
		# Of the other stack there is no copy for who goes on where the kernel lacked rows: until it
		# has them, at the next tick.
		complete "$name" oncpu stack_signal "$([[ -n $EMULATED ]] && echo 85 || echo 95)"
		shares "$name" stack_signal 3
		chain "$name" stack_signal in_handler 'main;interrupted;.*handler;in_handler'
	fi
done

if everywhere && sample frames "stack_frames $LONG"; then
	complete frames oncpu stack_frames 99
	few_by_frame_pointer frames
	shares frames stack_frames 2
	# Each of them runs a little itself.
	chain frames stack_frames both \
		'turn;both(;with_alloca(;calls_realigned(;realigned(;innermost)?)?)?)?'
fi

# Until the next tick the kernel walks by what lay at the place before: that is cut off, not wrong.
if sample library "stack_library $([[ -n $EMULATED ]] && echo 1 || echo 2.4)"; then
	complete library oncpu stack_library "$([[ -n $EMULATED ]] && echo 75 || echo 85)"
	shares library stack_library 2
	for which in first second; do
		chain library stack_library late_${which}_inner "main;use;late_$which;late_${which}_inner;.*"
	done
	[[ $(value '.functions | has("at the same place")' "$T") == true ]] ||
		skip library/at-the-same-place 'they came to different places'
fi

for how in fork vfork; do
	if everywhere && sample $how "stack_children $how 0.5"; then
		complete $how oncpu stack_children 98
		few_by_frame_pointer $how
		within $how/in-child "$(sum oncpu stack_children ';in_child;')" \
			"$(value '999 * .functions.in_child' "$T")" 10 8
		chain $how stack_children in_child 'main;(.*;)?in_child'
	fi
done

# Processes that live for 50 ms.
N=40
[[ -z $EMULATED ]] || N=6
if sample short-lives "stack_children spawn $N 50"; then
	complete short-lives oncpu '' 95
	# Their beginning and their end are in what they have run, and not below in_child().
	between short-lives/samples "$(sum oncpu '' ';in_child;')" \
		"$(value '999 * .functions.in_child * 0.9' "$T")" "$(value '999 * .functions.in_child' "$T")" 5
	holds short-lives/processes ".rounds[0].processes | length > $N"
	chain short-lives stack_children in_child 'main;in_child'
	nothing_lost short-lives
fi

if everywhere && sample threads "stack_threads $SHORT"; then
	complete threads oncpu stack_threads 99
	shares threads stack_threads 2.5
	for function in half third sixth; do
		chain threads stack_threads $function "[^;]*(;[^;]*)?;$function"
	done
	equal threads/not-below-main "$(sum oncpu stack_threads ';main;.*;(half|third|sixth);')" 0
fi

if [[ $(uname -m) != x86_64 ]]; then
	skip jit 'its code is for x86-64'
elif everywhere && sample jit "stack_jit $SHORT --map"; then
	rm -f "/tmp/perf-$(value .pid "$T").map"
	complete jit oncpu stack_jit 98
	shares jit stack_jit 2
	chain jit stack_jit burn 'main;jit_outer_\[j\];jit_inner with a space_\[j\];burn'
	between jit/by-frame-pointer "$(of_profile oncpu by_frame_pointer)" \
		"$(value '.rounds[0].profile.oncpu.samples * 0.95 | floor')" "$(of_profile oncpu samples)" 0
	if sample jit-unknown "stack_jit 0.3"; then
		complete jit-unknown oncpu stack_jit 98
		chain jit-unknown stack_jit burn \
			'main;\[unknown\] \(0x[0-9a-f]*\)_\[j\];\[unknown\] \(0x[0-9a-f]*\)_\[j\];burn'
	fi
fi

# What waits, by looks at moments that have nothing to do with it.
# shellcheck disable=SC2034
OPTIONS=(--profile offcpu --freq 999)
if sample waits "stack_waits 8 $([[ -n $EMULATED ]] && echo 1.2 || echo 4)"; then
	complete waits offcpu stack_waits 98
	within waits/seconds "$(of_profile offcpu sampled_seconds)" "$(of_profile offcpu exact_seconds)" 5
	all=$(of_profile offcpu exact_seconds)
	# 3 points of it, as each look finds what it finds.
	for function in waits_futex waits_sleep waits_pipe waits_for_work writes_late short_sleeps one_sleep; do
		within waits/$function "$(sum offcpu stack_waits ";$function;" 6)" \
			"$(value ".functions.$function" "$T")" 3 "$(jq -n "$all * 0.015")"
	done
	# reason FUNCTION REASON: nearly all of it is told as that.
	for pair in waits_futex=futex waits_sleep=timer waits_pipe=pipe waits_for_work=pipe one_sleep=timer; do
		between "waits/reason-of-${pair%=*}" "$(awk -F'\t' -v f=";${pair%=*};" -v reason="${pair#*=}" '
			index(";" $8 ";", f) { all += $5; right += $5 * ($3 == reason) }
			END { print all ? right / all : 0 }' "$DIR/lines")" 0.97 1 0
	done
	nothing_lost waits
fi

# More threads than CPUs: kept in run queues.
if sample queued "hogs $((2 * $(nproc))) $LONG"; then
	complete queued offcpu hogs 95 30
	within queued/seconds "$(sum offcpu hogs . 6)" "$(of_profile offcpu exact_seconds)" 5
	within queued/run-queue "$(awk -F'\t' '$3 == "run queue" { n += $6 } END { print n + 0 }' "$DIR/lines")" \
		"$(value .rounds[0].time.run_queue_seconds)" 5
fi

# One that has the machine for itself is not kept by perfbpf's own work.
if everywhere && measure alone "${OPTIONS[@]}" --target "$TRUTH/burn 1 $LONG"; then
	kept=0
	if [[ $(of_profile offcpu samples) != 0 ]] && stacks_read alone; then
		kept=$(awk -F'\t' '$3 == "run queue" { n += $6 } END { print n + 0 }' "$DIR/lines")
	fi
	between alone/run-queue "$kept" 0 \
		"$(value '.rounds[0].time.run_queue_seconds * 1.15 + 0.01 * .rounds[0].time.wall_seconds')" 0 0.06
fi
