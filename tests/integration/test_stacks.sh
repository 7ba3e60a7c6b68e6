#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Stacks of real programs as they are distributed, under load: nginx, redis, PostgreSQL, Python, Go,
# Rust, Node. At least 95 % of the user stacks are complete, and 95 % of the frames have a
# function or a file; of the C programs among them, shares of functions are those that perf sees at the
# same time.
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

# under_load COMMAND...: begins what is the load of a server, which goes on for long enough.
under_load() {
	PERFBPF_TEST_MARK=$MARK timeout -k 5 60 "$@" >"$LOAD" 2>&1 </dev/null 3>&- &
	load=$!
	started+=("$load")
	sleep 0.3
}

end_load() {
	kill "$load" 2>/dev/null
	wait "$load" 2>/dev/null
}

# attach_to NAME PID PATTERN COMMAND...: while COMMAND, which goes on for long enough, is the load.
attach_to() {
	local name=$1 pid=$2 pattern=$3
	shift 3
	under_load "$@"
	new_folder
	perfbpf attach "$pid" --quiet -o "$DIR" --duration "${LENGTH}s" --freq 499
	end_load
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
	under_load wrk -t 1 -c 8 -d 30s "http://127.0.0.1:$NGINX_PORT/file.html"
	against_perf as-perf-sees/nginx "$(pgrep -P "$NGINX")" 8192
	end_load
}

# perf_record FREQUENCY SECONDS: all that runs on CPU, with the BYTES of stack that perf copies each time. What
# it samples by a process's own clock misses that clock's time on the way out of a CPU.
perf_record() {
	timeout -k 5 30 perf record -q -B -o "$WORK/perf.data" -e cpu-clock -C "$CPU" -F "$1" \
		--call-graph "dwarf,$BYTES" -m 8M -- sleep "$2" >"$WORK/recorder" 2>&1 </dev/null 3>&-
}

# perf_shares PID: how many samples perf has of it, then of each function the inclusive share, as perf names
# it (without the version); not of what is known by its address only.
perf_shares() {
	timeout -k 5 60 perf script -i "$WORK/perf.data" --pid "$1" --no-inline -F ip,sym 2>"$WORK/recorder" </dev/null |
		awk '
		function take(name) { all += any; for (name in counted) n[name]++; split("", counted); any = 0 }
		NF == 0 { take(); next }
		{ any = 1; sub(/@.*/, "", $2); if ($2 != "[unknown]") counted[$2] }
		END { take(); print all + 0; for (name in n) printf "%.4f\t%s\n", 100 * n[name] / all, name }' |
		{ read -r samples && echo "$samples" && sort -rn; }
}

# against_perf NAME PID BYTES: both look at the same process at the same time. Of the twenty functions that perf
# sees most of, and whose names both have, the inclusive shares are the same within 3 points and two
# standard errors of what two samples of so many stacks differ by.
against_perf() {
	local name=$1 pid=$2 BYTES=$3 CPU recorder
	have perf taskset || { skip "$name" "$MISSING"; return; }
	CPU=$(taskset -pc $$ | grep -oE '[0-9]+$')
	if ! taskset -apc "$CPU" "$pid" >"$LOAD" 2>&1; then
		fail "$name" "there is no process $pid to look at"
		return
	fi
	if ! perf_record 99 0.1; then
		skip "$name" "perf cannot record stacks by DWARF here: $(tail -n 1 "$WORK/recorder")"
		return
	fi
	new_folder
	start_perfbpf attach "$pid" --quiet --debug -o "$DIR" --duration "$((LENGTH + 4))s" --freq 1999 --profile oncpu
	wait_for 15 window_is_open
	perf_record 1777 "$((LENGTH + 4))" &
	recorder=$!
	wait_end 30
	if ! wait "$recorder"; then
		skip "$name" "perf did not record: $(tail -n 1 "$WORK/recorder")"
		return
	fi
	stacks_read "$name" || return
	perf_shares "$pid" |
		awk -F'\t' '
		NR == 1 { samples = $1; next }
		NR == FNR { theirs[$2] = $1; order[++n] = $2; next }
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
				p = theirs[order[i]] / 100
				bound = 3 + 200 * sqrt(p * (1 - p) * (1 / all + 1 / samples))
				printf "# %s: %.2f %%, by perf %.2f %%, %+.2f of %.2f\n", order[i], share,
					theirs[order[i]], off, bound >"/dev/stderr"
				if (off > bound || off < -bound)
					printf "%s: %.2f %% instead of %.2f %%, ", order[i], share, theirs[order[i]]
			}
			if (both < 15 || all < 500 || samples < 500)
				printf "only %d functions have the same name (of %d, %d samples, by perf %d)", both, n, all, samples
		}' - <(grep ^oncpu "$DIR/lines") >"$WORK/why"
	equal "$name" "$(<"$WORK/why")" ''
}

with_redis() {
	start_redis || { skip redis "$MISSING"; return; }
	attach_to redis "$REDIS" ';aeMain;|;main;' \
		redis-benchmark -p "$REDIS_PORT" -c 8 -n 100000000 -t set,lpush,zadd
	under_load redis-benchmark -p "$REDIS_PORT" -c 8 -n 100000000 -t set
	against_perf as-perf-sees/redis "$REDIS" 8192
	end_load
}

with_postgres() {
	start_postgres || { skip postgres "$MISSING"; return; }
	pgbench -i -q >"$LOAD" 2>&1 || { fail postgres "pgbench -i: $(tail -n 1 "$LOAD")"; return; }
	attach_to postgres "$POSTGRES" ';PostgresMain;' pgbench -n -c 4 -T 30 || return
	well_known postgres offcpu . 100
	# One that only reads works all the time, in one process.
	under_load pgbench -n -S -c 1 -T 30
	against_perf as-perf-sees/postgres "$(pgrep -P "$POSTGRES" -f 'postgres: postgres postgres')" 16384
	end_load
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
		start_other "$python" "$WORK/load.py" 30
		sleep 0.3
		against_perf as-perf-sees/python "$OTHER" 16384
		kill "$OTHER"
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
	starts node 'knownInner' node --perf-basic-prof --interpreted-frames-native-stack --no-logfile-per-isolate \
		--logfile="$WORK/v8.log" "$WORK/load.js" "$LENGTH"
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
