#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Flame graphs and profiles of a result with stacks, as other programs take them: an XML and a JSON
# reader, go tool pprof, and a browser that opens, zooms and searches.
# shellcheck disable=SC2016
# lane: shared
. "$(dirname "$0")/lib.sh"

# The results are made by a unit test's generator: stacks whose shares are known.
GENERATOR=$ROOT/build/unit/test_flame
[[ -x $GENERATOR ]] || make -s "build/unit/test_flame" >&2 ||
	skip_all 'build/unit/test_flame, which makes the stacks, is not built'
for kind in results many; do
	"$GENERATOR" "$kind" "$WORK/$kind" || skip_all 'no stacks were made'
done
DIR=$WORK/results

# Debian's own has the modules of Debian's packages.
python=
for candidate in /usr/bin/python3 python3; do
	if command -v "$candidate" >/dev/null; then
		python=$candidate
		break
	fi
done

# --- what is written
all=$WORK/all
perfbpf report "$DIR" --format svg --format folded --format pprof --format speedscope -o "$all"
equal files/exit "$RC" 0
equal files/names "$(cd "$all" && printf '%s ' *)" 'flame-A-offcpu.svg flame-A-oncpu.svg flame-B-offcpu.svg flame-B-oncpu.svg flame-diff-offcpu.svg flame-diff-oncpu.svg profile-A-offcpu.pb.gz profile-A-oncpu.pb.gz profile-B-offcpu.pb.gz profile-B-oncpu.pb.gz profile.speedscope.json stacks-A-offcpu.folded stacks-A-oncpu.folded stacks-B-offcpu.folded stacks-B-oncpu.folded '
perfbpf report "$DIR" --format svg --side diff --kind offcpu -o "$WORK/one/"
equal files/only-what-is-wanted "$(ls "$WORK/one")" flame-diff-offcpu.svg
perfbpf report "$DIR" --format svg
check svg/to-stdout 'not what the folder holds' cmp "$OUT" "$all/flame-A-oncpu.svg"

# --- SVG
if command -v xmllint >/dev/null; then
	for svg in "$all"/*.svg; do
		name=${svg##*/}
		check "svg/well-formed/${name%.svg}" "$(xmllint --noout "$svg" 2>&1 | head -n 3)" \
			xmllint --noout --nonet "$svg"
	done
elif [[ -n $python ]]; then
	for svg in "$all"/*.svg; do
		name=${svg##*/}
		check "svg/well-formed/${name%.svg}" 'Python cannot read it' "$python" -c \
			'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$svg"
	done
else
	skip svg/well-formed 'there is neither xmllint (libxml2-utils) nor python3'
fi
check svg/asks-for-nothing 'it names an address' \
	bash -c "! grep -hoE '(https?:)?//[a-z0-9.]+\.[a-z]+' $all/*.svg | grep -v www.w3.org"
perfbpf report "$WORK/many" --format svg -o "$WORK/many.svg"
size=$(stat -c %s "$WORK/many.svg")
check svg/100000-stacks "$size bytes" test "$size" -le 5000000
check svg/left-out-is-said 'nothing is said of frames that are left out' \
	grep -qE '[0-9,]+ frames narrower than [0-9.]+ px are not drawn' "$WORK/many.svg"

# --- folded
perfbpf report "$DIR" --format folded
equal folded/samples "$(awk '{ n += $NF } END { print n }' "$OUT")" \
	"$(value '[.rounds[] | select(.side == "A") | .profile.oncpu.samples] | add')"
perfbpf report "$DIR" --format folded --side B --kind offcpu
within folded/microseconds "$(awk '{ n += $NF } END { print n / 1e6 }' "$OUT")" \
	"$(value '[.rounds[] | select(.side == "B") | .profile.offcpu.exact_seconds] | add')" 0.001
perfbpf report "$DIR" --format folded --side diff
check folded/difference-has-two-columns "$(head -n 1 "$OUT")" \
	awk '$(NF - 1) !~ /^[0-9]+$/ || $NF !~ /^[0-9]+$/ { exit 1 }' "$OUT"
perfbpf report "$DIR" --format folded --phase peak
part=$(awk '{ n += $NF } END { print n }' "$OUT")
perfbpf report "$DIR" --format folded --phase steady
equal folded/phases-add-up "$((part + $(awk '{ n += $NF } END { print n }' "$OUT")))" \
	"$(value '[.rounds[] | select(.side == "A") | .profile.oncpu.samples] | add')"

# --- speedscope
speedscope=$all/profile.speedscope.json
check speedscope/indices 'a stack names a frame that there is not' jq -e '
	(.shared.frames | length) as $n | .profiles | length == 4 and
	all(.[]; (.samples | length) == (.weights | length) and all(.samples[][]; . < $n))' "$speedscope"
check speedscope/adds-up 'weights are not what the profile says' jq -e '
	.profiles | all(.[]; ((.weights | add) / .endValue - 1 | fabs) < 1e-6)' "$speedscope"
if [[ -n $python ]] && "$python" -c 'import jsonschema' 2>/dev/null; then
	check speedscope/schema "$(head -c 200 "$speedscope")" "$python" -c '
import json, sys, jsonschema
jsonschema.validate(json.load(open(sys.argv[1])), json.load(open(sys.argv[2])))' \
		"$speedscope" tests/integration/speedscope.schema.json
else
	skip speedscope/schema 'there is no python3-jsonschema'
fi

# --- pprof
if command -v go >/dev/null && go tool -n pprof >/dev/null 2>&1; then
	export PPROF_TMPDIR=$WORK
	top=$WORK/top
	go tool pprof -symbolize=none -top "$all/profile-A-oncpu.pb.gz" >"$top" 2>"$ERR"
	equal pprof/top "$(awk '/flat%/ { getline; print $NF }' "$top")" tcp_v4_rcv
	check pprof/build-id "$(head -n 3 "$top")" grep -qx 'Build ID: 9f1c0a7be2' "$top"
	check pprof/unknown-frames-stay "$(cat "$top")" grep -qF '[unknown] (nginx+0x2f31a)' "$top"
	check pprof/inlined "$(cat "$top")" grep -q 'ngx_hash_find (inline)' "$top"
	exact=$(value '[.rounds[] | select(.side == "A") | .profile.oncpu.exact_seconds] | add')
	within pprof/exact-seconds "$(sed -n 's/.*Total samples = \([0-9.]*\)ms.*/\1/p' "$top" |
		awk '{ print $1 / 1000 }')" "$exact" 0.01
	go tool pprof -symbolize=none -tags "$all/profile-B-offcpu.pb.gz" >"$top" 2>"$ERR"
	for tag in 'process' 'round' 'phase' 'reason'; do
		check "pprof/label-$tag" "$(cat "$top")" grep -q "^ $tag: " "$top"
	done
	perfbpf report "$WORK/many" --format pprof -o "$WORK/many.pb.gz"
	check pprof/large 'pprof cannot read it' go tool pprof -symbolize=none -top "$WORK/many.pb.gz"
else
	skip pprof 'there is no go with its pprof'
fi
if command -v script >/dev/null; then
	script -qec "$PERFBPF report $DIR --format pprof" /dev/null >"$OUT" 2>&1 </dev/null
	check pprof/not-on-a-terminal "$(head -c 200 "$OUT")" \
		grep -q 'pprof is no text for a terminal: say -o FILE' "$OUT"
else
	skip pprof/not-on-a-terminal 'there is no script (bsdutils)'
fi

# --- what cannot be
# refused NAME MESSAGE ARGUMENT...
refused() {
	local name=$1 message=$2
	shift 2
	perfbpf report "$@"
	if ((RC == 2)) && [[ $(error_line) == *"$message"* ]]; then
		ok "refused/$name"
	else
		fail "refused/$name" "exit $RC: $(error_line)"
	fi
	[[ -s $OUT ]] && fail "refused/$name/prints-nothing" "$(head -c 100 "$OUT")"
}
cp -r "$DIR" "$WORK/none"
rm "$WORK/none/stacks.json.gz"
refused no-stacks 'it was made with --profile none, or run.json was given without its folder; measure again' "$WORK/none" --format svg
refused no-stacks-of-a-file 'run.json was given without its folder' "$DIR/run.json" --format svg
refused no-stacks-in-a-folder 'it was made with --profile none' "$WORK/none" --format svg -o "$WORK/no/"
refused no-phase "in a phase 'lunch' (phases: steady peak)" "$DIR" --format svg --phase lunch
refused pprof-diff 'pprof makes differences itself' "$DIR" --format pprof --side diff
refused speedscope-diff 'speedscope shows no differences' "$DIR" --format speedscope --side diff
refused side "--side is A, B or diff, not 'C'" "$DIR" --format svg --side C
refused kind "--kind is oncpu or offcpu, not 'memory'" "$DIR" --format svg --kind memory
refused side-of-text '--side is of formats for stacks' "$DIR" --side B
refused two-on-a-stream 'cannot be in one stream' "$DIR" --format pprof --format svg
cp -r "$DIR" "$WORK/broken"
head -c 500 "$DIR/stacks.json.gz" >"$WORK/broken/stacks.json.gz"
refused broken "$WORK/broken/stacks.json.gz: is cut short" "$WORK/broken"

# --- a browser
if [[ -z $python ]]; then
	skip browser 'there is no python3'
elif ! command -v chromedriver >/dev/null || ! command -v chromium >/dev/null; then
	skip browser 'there is no chromium with its chromedriver'
else
	shots=${PERFBPF_TEST_SHOTS:-$WORK/shots}
	mkdir -p "$shots"
	PERFBPF_TEST_MARK=$MARK HOME=$WORK timeout -k 10 200 "$python" -B \
		tests/integration/flames_browser.py "$(free_port)" "$all/flame-A-oncpu.svg" \
		"$all/flame-diff-oncpu.svg" "$WORK/many.svg" "$shots" >"$OUT"
	status=$?
	while read -r what rest; do
		case $what in
		ok) ok "browser/$rest" ;;
		FAIL) fail "browser/${rest%%: *}" "${rest#*: }" ;;
		esac
	done <"$OUT"
	((status <= 1)) || fail browser "ended with status $status"
fi
