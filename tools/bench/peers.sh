# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Other tools beside perfbpf, and the work that all of them watch in turns. Read by bench.sh.
# shellcheck disable=SC2016,SC2154

# --- what a tool's programs cost ---------------------------------------------------

# programs_of PID: "ID SECONDS EVENTS" of each BPF program that it holds, in the order they
# were loaded in. By its own descriptors: others may load theirs at any time.
programs_of() {
	cat "/proc/$1/fdinfo/"* 2>/dev/null | awk '
		$1 == "pos:" { program = 0 }
		$1 == "prog_type:" { program = 1 }
		$1 == "prog_id:" { id = $2 }
		$1 == "run_time_ns:" { ns = $2 }
		$1 == "run_cnt:" && program { print id, ns / 1e9, $2 }' | sort -nu
}

# per_event FILE: "PROGRAM NS EVENTS" of all turns together, from "PROGRAM SECONDS EVENTS".
per_event() {
	awk '{ s[$1] += $2; n[$1] += $3; if (!($1 in at)) { at[$1] = ++k; name[k] = $1 } }
		END { for (i = 1; i <= k; i++) if (n[name[i]])
			printf "%s %.1f %d\n", name[i], s[name[i]] / n[name[i]] * 1e9, n[name[i]] }' "$1"
}

# The sum of what the programs A+B take for an event, nothing where one of them did not run.
ns_of() {
	awk -v programs="$1" 'BEGIN { n = split(programs, p, "+") } { ns[$1] = $2 }
		END { for (i = 1; i <= n; i++) { if (!(p[i] in ns)) exit; s += ns[p[i]] } printf "%.0f", s }' "$2"
}

# our_programs NAME: "PROGRAM SECONDS EVENTS" of a run.
our_programs() { value "$1" '.rounds[].observer.programs[] | "\(.name) \(.seconds) \(.events)"'; }

# --- a peer ------------------------------------------------------------------------

# Why a tool could not be measured, by its name.
declare -A skipped

# start_peer COMMAND...: PEER is its process, once its programs are attached. Tools find their
# events by tracefs, which may not be mounted: then it is, for them alone.
start_peer() {
	local i now last=
	have "$1" || skipped[$1]='not installed'
	{ have unshare && have bpftool && [[ -w $stats ]]; } || skipped[$1]="needs bpftool, unshare, $stats"
	[[ -n ${skipped[$1]:-} ]] && return 1
	: >"$work/peer.out"
	unshare -m --propagation private sh -c '
		[ -d /sys/kernel/tracing/events ] || mount -t tracefs none /sys/kernel/tracing
		[ -d /sys/kernel/debug/tracing ] || mount -t debugfs none /sys/kernel/debug
		exec "$@"' - "$@" >"$work/peer.out" 2>"$work/peer.err" </dev/null &
	PEER=$!
	for ((i = 0; i < 100; i++)); do
		sleep 0.1
		kill -0 "$PEER" 2>/dev/null || break
		# bpftrace says so itself; the others load and attach all in one go, silently.
		if [[ $1 == bpftrace ]]; then
			grep -q '^attached' "$work/peer.out" && return
		else
			now=$(programs_of "$PEER" | awk '{ print $1 }')
			[[ -n $now && $now == "$last" ]] && return
			last=$now
		fi
	done
	kill -KILL "$PEER" 2>/dev/null
	wait "$PEER" 2>/dev/null
	skipped[$1]=$(grep . "$work/peer.err" | tail -n 1 | cut -c 1-60 | tr '|' '/')
	[[ -n ${skipped[$1]} ]] || skipped[$1]='did not start'
	say "$1: ${skipped[$1]}"
	return 1
}

# end_peer FILE COMMAND...: adds "PROGRAM SECONDS EVENTS" of its programs to FILE, and its peak of
# memory to $work/peer-rss. bpftrace's programs go by their events in the script, in that order.
end_peer() {
	local file=$1
	programs_of "$PEER" >"$work/peer.programs"
	echo "$2 $(process_rss "$PEER")" >>"$work/peer-rss"
	if [[ $2 == bpftrace ]]; then
		awk -F: '/^(tracepoint|profile):/ { print $3 }' "$3" | paste -d ' ' - "$work/peer.programs" |
			awk 'NF == 4 { print $1, $3, $4 }' >>"$file"
	else
		bpftool -j prog show | jq -r '.[] | "\(.id) \(.name)"' |
			awk 'NR == FNR { name[$1] = $2; next } $1 in name { print name[$1], $2, $3 }' \
				- "$work/peer.programs" >>"$file"
	fi
	kill -INT "$PEER"
	wait "$PEER" 2>/dev/null
}

# --- the work that is watched ------------------------------------------------------

# start_load COMMAND...: LOAD is the process that will be COMMAND once run_load lets it; or
# nginx, which is under load all the time, for `nginx SECONDS`.
start_load() {
	load=("$@")
	LOAD=${NGINX:-}
	[[ $1 == nginx ]] && return
	mkfifo "$work/gate" || return
	# With a group of its own, to be ended with what it has started.
	setsid sh -c 'read -r go <"$0"; exec "$@"' "$work/gate" "$@" >/dev/null 2>&1 </dev/null &
	LOAD=$!
}

run_load() {
	if [[ ${load[0]} == nginx ]]; then
		sleep "${load[1]}"
		return
	fi
	timeout 10 sh -c 'echo go >"$0"' "$work/gate"
	wait "$LOAD"
	rm -f "$work/gate"
}

# Where nobody watches it.
end_load() {
	[[ ${load[0]} == nginx ]] && return
	kill -KILL -- "-$LOAD"
	wait "$LOAD" 2>/dev/null
	rm -f "$work/gate"
}

# --- in turns ----------------------------------------------------------------------

# our_turn NAME OPTIONS LOAD
our_turn() {
	local extra target
	read -ra extra <<<"$2"
	target=(--target "$3")
	[[ $3 == nginx\ * ]] && target=(--pid "$NGINX" --duration "${3#nginx }s")
	run "$1" --rounds 1 "${extra[@]}" "${target[@]}" && our_programs "$1" >>"$work/$1.ours"
}

# peer_turn FILE LOAD PEER
peer_turn() {
	local file=$1 peer words
	read -ra words <<<"$2"
	start_load "${words[@]}" || return
	read -ra peer <<<"${3//PID/$LOAD}"
	if ! start_peer "${peer[@]}"; then
		end_load
		return
	fi
	echo 1 >"$stats"
	run_load
	echo "$stats_before" >"$stats"
	end_peer "$file" "${peer[@]}"
}

# in_turns NAME OPTIONS LOAD [PEER]...: perfbpf with OPTIONS and then each PEER watch LOAD. All of
# them are command lines; in a PEER, PID is the load's process. What an event took is in
# $work/NAME.ours-ns and, after the first word of each PEER, $work/NAME.PEER-ns.
in_turns() {
	local name=$1 options=$2 watched=$3 turn peer
	shift 3
	for ((turn = 0; turn < turns; turn++)); do
		our_turn "$name" "$options" "$watched" || return
		for peer; do
			[[ -n ${skipped[${peer%% *}]:-} ]] && continue
			peer_turn "$work/$name.${peer%% *}" "$watched" "$peer"
		done
	done
	per_event "$work/$name.ours" >"$work/$name.ours-ns"
	for peer; do
		[[ -s $work/$name.${peer%% *} ]] || continue
		per_event "$work/$name.${peer%% *}" >"$work/$name.${peer%% *}-ns"
	done
}

# event_row FIGURE NAME PROGRAM SHARE [PEER:PROGRAM]...: what an event took perfbpf's PROGRAM in the
# turns NAME, and the peers; the aim is SHARE of what it took all these together.
event_row() {
	local figure=$1 name=$2 program=$3 share=$4 pair peer ns sum=0 beside=() aim=-
	shift 4
	for pair; do
		peer=${pair%%:*}
		ns=
		[[ -s $work/$name.$peer-ns ]] && ns=$(ns_of "${pair#*:}" "$work/$name.$peer-ns")
		sum=$((sum + ${ns:-0}))
		if [[ -n $ns ]]; then
			beside+=("$peer $ns ns")
		else
			beside+=("$peer ${skipped[$peer]:+skipped: }${skipped[$peer]:-saw none}")
		fi
	done
	((sum)) && aim="<= $(number %.0f "$sum * $share") ns"
	ns=$(ns_of "$program" "$work/$name.ours-ns")
	[[ -n $ns ]] && row "event $figure: ${program//+/ + }" "$ns ns" "$aim" "$(joined "${beside[@]}")"
	return 0
}
