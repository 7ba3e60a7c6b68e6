#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Stacks of real programs as they are distributed, under load: nginx, redis, PostgreSQL, Python, Go,
# Rust, Node. At least 95 % of the user stacks are complete, and 95 % of the frames have a
# function or a file; shares of functions are those that perf sees at the same time.
# shellcheck disable=SC2016,SC2054
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/servers.sh"
. "$(dirname "$0")/stacks.sh"
need_bpf
LENGTH=2
LOAD=$WORK/load

# well_known NAME KIND PATTERN: complete, named, and PATTERN is in at least half of it.
well_known() {
	local text
	complete "$1" "$2" '' 95 "$4"
	text=$(awk -F'\t' -v kind="$2" '
		$1 == kind && $2 != "woken while looked at" {
			n = split($8, frames, ";")
			for (i = 1; i <= n; i++) {
				all += $5
				if (frames[i] ~ /^\[unknown\] \(0x/) unknown[frames[i]] += $5
			}
		}
		END {
			for (frame in unknown) {
				sum += unknown[frame]
				if (unknown[frame] > unknown[most]) most = frame
			}
			if (!all || sum > all * 0.05)
				printf "%d of %d frames are in no file, like %s", sum, all, most
		}' "$DIR/lines")
	equal "$1/$2-frames" "$text" ''
	between "$1/$2-share" "$(sum "$2" '' "$3")" "$(($(sum "$2" '' .) / 2))" 1e9 0
	equal "$1/lost" "$(value '.rounds[0] | "\(.observer.losses.stacks) \(.profile.oncpu.lost) \(.profile.oncpu.mappings_lost)"')" '0 0 0'
}

# attach_to NAME PID PATTERN COMMAND...: while COMMAND, which goes on for long enough, is the load.
attach_to() {
	local name=$1 pid=$2 pattern=$3
	shift 3
	PERFBPF_TEST_MARK=$MARK timeout -k 5 60 "$@" >"$LOAD" 2>&1 </dev/null 3>&- &
	load=$!
	started+=("$load")
	sleep 0.3
	new_folder
	perfbpf attach "$pid" --quiet -o "$DIR" --duration "${LENGTH}s" --freq 499
	kill "$load" 2>/dev/null
	wait "$load" 2>/dev/null
	if ((RC != 0)); then
		fail "$name" "exit $RC: $(error_line)"
		return 1
	fi
	stacks_read "$name" || return
	well_known "$name" oncpu "$pattern" 100
}

# wrap COMMAND...: $WORK/starts becomes a program that is COMMAND, whose output goes to LOAD.
wrap() {
	printf '#!/bin/sh\nexec' >"$WORK/starts"
	printf ' %q' "$@" >>"$WORK/starts"
	printf ' >%q\n' "$LOAD" >>"$WORK/starts"
	chmod 755 "$WORK/starts"
}

# starts NAME PATTERN COMMAND...: a program that is its own load.
starts() {
	local name=$1 pattern=$2 pid
	shift 2
	wrap "$@"
	measure "$name" --freq 499 --target "$WORK/starts" && stacks_read "$name" || return
	for pid in $(value '.rounds[0].processes[].pid'); do
		rm -f "/tmp/perf-$pid.map"
	done
	well_known "$name" oncpu "$pattern" 100
}

with_nginx() {
	if ! have wrk || ! start_nginx; then
		skip nginx "$MISSING"
		return
	fi
	attach_to nginx "$NGINX" . wrk -t 1 -c 8 -d 30s "http://127.0.0.1:$NGINX_PORT/file.html"
}

# against_perf NAME COMMAND...: both look at the same process at the same time. Of the twenty functions
# that perf sees most of, and whose names both have, the inclusive shares are the same within 3 points.
against_perf() {
	local name=$1 pid recorder
	have perf || { skip "$name" "$MISSING"; return; }
	shift
	start_other "$@"
	pid=$OTHER
	sleep 0.3
	if ! perf record -q -o "$WORK/perf.data" -e cpu-clock -F 99 --call-graph dwarf -p "$pid" \
		-- sleep 0.1 >"$LOAD" 2>&1 </dev/null; then
		skip "$name" "perf cannot record stacks by DWARF here: $(tail -n 1 "$LOAD")"
		kill "$pid"
		return
	fi
	new_folder
	start_perfbpf attach "$pid" --quiet --debug -o "$DIR" --duration "$((LENGTH + 2))s" --freq 1999 --profile oncpu
	wait_for 15 window_is_open
	timeout -k 5 30 perf record -q -o "$WORK/perf.data" -e cpu-clock -F 1777 --call-graph dwarf,16384 -m 8M -p "$pid" \
		-- sleep "$((LENGTH + 2))" >"$WORK/recorder" 2>&1 </dev/null 3>&- &
	recorder=$!
	wait_end 30
	wait "$recorder"
	kill "$pid"
	stacks_read "$name" || return
	# As it names them: without the version, and what is not known by its address.
	timeout -k 5 60 perf report -i "$WORK/perf.data" --children --no-inline -g none --stdio --percent-limit 2 \
		-F overhead_children,sym 2>"$WORK/recorder" </dev/null |
		awk '$1 ~ /%$/ && $3 !~ /^0x/ { share = $1; sub(/%/, "", share); sub(/@.*/, "", $3); print share "\t" $3 }' |
		awk -F'\t' '
		NR == FNR { if (!($2 in theirs)) { theirs[$2] = $1; order[++n] = $2 } next }
		{
			all += $5
			gsub(/_\[k\]/, "", $8)
			m = split($8, frames, ";")
			split("", counted)
			for (i = 1; i <= m; i++)
				if (!(frames[i] in counted)) { counted[frames[i]]; ours[frames[i]] += $5 }
		}
		END {
			for (i = 1; i <= n && both < 20; i++) {
				if (!(order[i] in ours)) continue
				both++
				share = 100 * ours[order[i]] / all
				off = share - theirs[order[i]]
				printf "# %s: %.2f %%, by perf %.2f %%\n", order[i], share, theirs[order[i]] >"/dev/stderr"
				if (off > 3 || off < -3)
					printf "%s: %.2f %% instead of %.2f %%, ", order[i], share, theirs[order[i]]
			}
			if (both < 15) printf "only %d functions have the same name (of %d, %d samples)", both, n, all
		}' - <(grep ^oncpu "$DIR/lines") >"$WORK/why"
	equal "$name" "$(<"$WORK/why")" ''
}

with_redis() {
	start_redis || { skip redis "$MISSING"; return; }
	attach_to redis "$REDIS" ';aeMain;|;main;' \
		redis-benchmark -p "$REDIS_PORT" -c 8 -n 100000000 -t set,lpush,zadd
}

with_postgres() {
	start_postgres || { skip postgres "$MISSING"; return; }
	pgbench -i -q >"$LOAD" 2>&1 || { fail postgres "pgbench -i: $(tail -n 1 "$LOAD")"; return; }
	attach_to postgres "$POSTGRES" ';PostgresMain;' pgbench -n -c 4 -T 30 || return
	well_known postgres offcpu . 100
}

# python_of VERSION...: the interpreter itself, not what finds one, of a version at least that.
python_of() {
	local path
	for path in python3.13 python3.12 python3.14 python3 "$HOME"/.pyenv/versions/3.1[2-9]*/bin/python3 \
		/usr/bin/python3; do
		path=$(command -v "$path") || continue
		"$path" -c "import sys
if sys.version_info < ($1): sys.exit(1)
print(sys.executable)" 2>/dev/null && return
	done
	return 1
}

with_python() {
	local python
	cat >"$WORK/load.py" <<-'END'
		import random, sys, time
		def known_inner(n):
		    return sum(i * i % 7 for i in range(n))
		def known_outer():
		    return known_inner(random.randrange(500, 5000)) + known_inner(2000)
		end = time.monotonic() + float(sys.argv[1])
		while time.monotonic() < end:
		    known_outer()
	END
	if python=$(python_of '3, 11'); then
		starts python ';(_PyEval_EvalFrameDefault|PyEval_EvalCode);' "$python" "$WORK/load.py" "$LENGTH"
		against_perf as-perf-sees "$python" "$WORK/load.py" 30
	else
		skip python 'there is no Python of 3.11 or later'
	fi
	if python=$(python_of '3, 12') && "$python" -X perf -c 'import os, sys
if not sys.is_stack_trampoline_active(): sys.exit(1)
os.unlink(f"/tmp/perf-{os.getpid()}.map")'; then
		# Until the kernel knows where its code lies, at the first tick, nobody gets past it.
		starts python-functions 'py::known_outer:[^;]*_\[j\];.*py::known_inner:[^;]*_\[j\];' \
			"$python" -X perf "$WORK/load.py" "$((LENGTH + 2))"
	else
		skip python-functions 'there is no Python of 3.12 or later that can -X perf'
	fi
}

with_node() {
	have node || { skip node "$MISSING"; return; }
	cat >"$WORK/load.js" <<-'END'
		function knownInner(n) { let s = 0; for (let i = 0; i < n; i++) s += Math.sqrt(i) % 7; return s; }
		function knownOuter() { return knownInner(100000) + knownInner(50000); }
		const end = Date.now() + 1000 * process.argv[2];
		let t = 0;
		while (Date.now() < end) t += knownOuter();
		console.log(t);
	END
	starts node 'knownInner' node --perf-basic-prof --interpreted-frames-native-stack "$WORK/load.js" "$LENGTH"
}

with_go() {
	have go || { skip go "$MISSING"; return; }
	mkdir -p "$WORK/go"
	cat >"$WORK/go/main.go" <<-'END'
		package main

		import (
			"fmt"
			"os"
			"strconv"
			"time"
		)

		//go:noinline
		func knownInner(n int) (s int) {
			for i := 0; i < n; i++ {
				s += i * i % 7
			}
			return s
		}

		//go:noinline
		func knownOuter(n int) int { return knownInner(n) + knownInner(n/2) }

		func work(end time.Time, out chan<- int) {
			s := 0
			for time.Now().Before(end) {
				m := map[string]int{}
				for i := 0; i < 50; i++ {
					m[strconv.Itoa(i)] = i
				}
				s += knownOuter(20000) + len(m)
			}
			out <- s
		}

		func main() {
			seconds, _ := strconv.ParseFloat(os.Args[1], 64)
			out := make(chan int)
			end := time.Now().Add(time.Duration(seconds * 1e9))
			go work(end, out)
			go work(end, out)
			fmt.Println(<-out + <-out)
		}
	END
	for flags in '' '-s -w'; do
		if ! (cd "$WORK/go" && GO111MODULE=off timeout 120 go build -ldflags "$flags" -o "$WORK/go/main$flags") \
			>"$LOAD" 2>&1; then
			fail "go$flags" "go build: $(tail -n 1 "$LOAD")"
			continue
		fi
		starts "go${flags// /}" ';main.work;main.knownOuter;main.knownInner;' "$WORK/go/main$flags" "$LENGTH"
	done
}

with_rust() {
	have rustc || { skip rust "$MISSING"; return; }
	for mangling in legacy v0; do
		if ! timeout 120 rustc -O -C force-frame-pointers=no -C symbol-mangling-version=$mangling \
			-o "$WORK/stack_rust" tests/truth/stack_rust.rs >"$LOAD" 2>&1 &&
			! timeout 120 rustc -O -C force-frame-pointers=no -o "$WORK/stack_rust" \
				tests/truth/stack_rust.rs >"$LOAD" 2>&1; then
			fail rust-$mangling "rustc: $(tail -n 1 "$LOAD")"
			continue
		fi
		wrap "$WORK/stack_rust" "$LENGTH"
		measure rust-$mangling --profile oncpu --freq 999 --target "$WORK/starts" || continue
		cp "$LOAD" "$T"
		stacks_read rust-$mangling || continue
		# What a generic function was made for is in some names, and not in others.
		sed -i 's/::<[A-Za-z0-9_]*>//g' "$DIR/lines"
		complete rust-$mangling oncpu stack_rust 99
		# glibc says nothing of clone3() from the system call on.
		between rust-$mangling/by-frame-pointer \
			"$(awk -F'\t' '$7 == "stack_rust" && $4 && $8 !~ /;clone3;/ { n += $5 } END { print n + 0 }' "$DIR/lines")" \
			0 "$(value '.rounds[0].profile.oncpu.samples / 200')" 0
		shares rust-$mangling stack_rust 2.5
	done
}

for name in nginx redis postgres python node go rust; do
	"with_$name"
done
