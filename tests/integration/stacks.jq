# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# stacks.json.gz as lines with tabs, for awk: kind, how the walk ended, reason, by frame pointer,
# samples, seconds, process, and the frames from the thread's start inwards with ; between them.
# Frames of the kernel end in _[k], of code compiled at run time in _[j]; what has no name is
# "[unknown] (file+0xaddress)".
. as $p
| def named($f):
	(.frames.function[$f] // ("[unknown] (" + ((.frames.module[$f]) as $m
		| if $m == null then "" else (.modules.path[$m] | split("/") | last) + "+" end)
		+ .frames.address[$f] + ")"))
	+ ({"kernel": "_[k]", "jit": "_[j]", "inlined": "_[i]"}[.frame_kinds[.frames.kind[$f]]] // "");
[range(.frames.kind | length) as $f | named($f)] as $labels
| (reduce range(.nodes.frame | length) as $i ([]; . + [
	($p.nodes.parent[$i] as $up | if $up == null then "" else .[$up] + ";" end)
	+ $labels[$p.nodes.frame[$i]]])) as $stacks
| range(.rows.node | length) as $i
| [.kinds[.rows.kind[$i]], .ends[.rows.end[$i]],
	(.reasons[.rows.reason[$i]] | if . == "" then "-" else . end), .rows.by_fp[$i],
	.rows.samples[$i], .rows.seconds[$i], .processes.name[.rows.process[$i]],
	(.rows.node[$i] as $n | if $n == null then "-" else $stacks[$n] end)]
| map(tostring) | join("\t")
