# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Looking at the stacks of a run: to be read after lib.sh. sample() and stacks_read() leave
# them in $DIR/lines, one a line with tabs between these columns:
#     1 oncpu or offcpu  2 how the walk ended  3 reason ("-" on a CPU)  4 by frame pointer
#     5 samples  6 seconds  7 process  8 frames from the thread's start inwards, with ; between
# shellcheck disable=SC2034
T=$WORK/truth.json

unpack() {
	if command -v gzip >/dev/null; then
		gzip -dc "$1"
	else
		busybox gzip -dc "$1"
	fi
}

# stacks_read NAME: the lines of the run in DIR.
stacks_read() {
	if unpack "$DIR/stacks.json.gz" | jq -r -f "$ROOT/tests/integration/stacks.jq" >"$DIR/lines" &&
		[[ -s $DIR/lines ]]; then
		return
	fi
	fail "$1" 'there are no stacks in stacks.json.gz'
	return 1
}

# sample NAME PROGRAM ARGUMENT...: a truth program under perfbpf, 999 samples a second; OPTIONS
# are those of perfbpf. Its truth is in T.
OPTIONS=(--profile oncpu --freq 999)
sample() {
	local name=$1
	shift
	rm -f "$T"
	measure "$name" "${OPTIONS[@]}" --target "$TRUTH/$* --truth $T" && stacks_read "$name"
}

# of_profile KIND FIELD
of_profile() { value ".rounds[0].profile.$1.$2"; }

# sum KIND PROCESS PATTERN [COLUMN]: samples (or column 6: seconds) of lines of a process ("" of
# any) whose frames match; in PATTERN a frame's begin and end are ; as are those of the whole.
# (Not every awk leaves the backslashes in what -v gives.)
sum() {
	PATTERN=$3 awk -F'\t' -v kind="$1" -v comm="$2" -v column="${4:-5}" '
		$1 == kind && (comm == "" || $7 == comm) && ";" $8 ";" ~ ENVIRON["PATTERN"] { n += $column }
		END { printf "%.9g\n", n }' "$DIR/lines"
}

# complete NAME KIND PROCESS PERCENT [SAMPLES]: of the user stacks at least so many reach the
# thread's start, and there are at least so many samples.
complete() {
	awk -F'\t' -v kind="$2" -v comm="$3" -v percent="$4" -v least="${5:-100}" '
		$1 == kind && (comm == "" || $7 == comm) && $2 != "no user stack" { all += $5; ends[$2] += $5 }
		END {
			if (all < least)
				printf "%d samples", all
			else if (ends["complete"] < all * percent / 100) {
				printf "of %d:", all
				for (end in ends) printf " %d %s,", ends[end], end
			}
		}' "$DIR/lines" >"$WORK/why"
	equal "$1/complete" "$(<"$WORK/why")" ''
}

# starts_at NAME PROCESS: what main() is in begins at the program's start.
starts_at() {
	equal "$1/begin" "$(awk -F'\t' -v comm="$2" '
		$7 == comm && $2 == "complete" && index($8, ";main;") && $8 !~ /^_start;([^;]+;)?([^;]+;)?main;/ {
			print $8 }' "$DIR/lines" | head -n 1)" ''
}

# chain NAME PROCESS FRAME PATTERN: whatever has FRAME in it has it as the end of PATTERN.
chain() {
	equal "$1/callers-of-$3" "$(PATTERN=";($4);" awk -F'\t' -v comm="$2" -v frame="$3" '
		$1 == "oncpu" && $7 == comm && $2 == "complete" && index(";" $8 ";", ";" frame ";") &&
			";" $8 ";" !~ ENVIRON["PATTERN"] { print $8 }' "$DIR/lines" | head -n 1)" ''
}

# shares NAME PROCESS POINTS: of the samples of a process each function's share, by the truth of
# the program, within so many points; a function counts once in a stack. Of some, compilers put
# what is seldom reached elsewhere, as a clone.
shares() {
	jq -r '.cpu_seconds as $all | .functions | to_entries[] | "\(.key)\t\(.value / $all)"' "$T" |
		awk -F'\t' -v comm="$2" -v points="$3" '
		NR == FNR { truth[$1] = $2; next }
		$1 == "oncpu" && $7 == comm {
			all += $5
			gsub(/ \[clone [^\]]*\]/, "", $8)
			for (name in truth)
				if (index(";" $8 ";", ";" name ";")) seen[name] += $5
		}
		END {
			for (name in truth) {
				share = all ? seen[name] / all : 0
				off = 100 * (share - truth[name])
				printf "# %s: %.2f %%, in truth %.2f %%\n", name, 100 * share, 100 * truth[name] >"/dev/stderr"
				if (off > points || off < -points)
					printf "%s: %.2f %% instead of %.2f %%, ", name, 100 * share, 100 * truth[name]
			}
		}' - "$DIR/lines" >"$WORK/why"
	equal "$1/shares" "$(<"$WORK/why")" ''
}

# rename_unknown: functions without names get those that the truth has for where they begin.
rename_unknown() {
	jq -r '.addresses | to_entries[] | "\(.key)\t\(.value)"' "$T" |
		awk -F'\t' -v OFS='\t' -v file="$1" '
		NR == FNR { names[$1] = $2; next }
		{
			n = split($8, frames, ";")
			line = ""
			for (i = 1; i <= n; i++) {
				frame = frames[i]
				if (index(frame, "[unknown] (" file "+") == 1) {
					address = substr(frame, length("[unknown] (" file "+") + 1)
					sub(/\)$/, "", address)
					if (address in names) frame = names[address]
				}
				line = line (i > 1 ? ";" : "") frame
			}
			$8 = line
			print
		}' - "$DIR/lines" >"$DIR/renamed" && mv "$DIR/renamed" "$DIR/lines"
}
