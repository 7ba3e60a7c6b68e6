#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The section `scrape` of a scenario: what a target publishes for Prometheus stands beside what perfbpf
# measures, and what cannot be had is a note. A look takes what is known (tests/truth/metrics.c).
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf
need_command curl
# perfbpf opens it when it is needed.
ldconfig -p | grep -q 'libcurl\.so\.4' || skip_all 'there is no libcurl.so.4'

# publish ARGUMENT...: metrics are published at port PORT by process OTHER.
publish() {
	rm -f "$WORK/ready"
	start_other "$TRUTH/metrics" --ready "$WORK/ready" "$@"
	wait_for 5 test -s "$WORK/ready" || {
		fail metrics 'the server of metrics did not begin'
		exit 1
	}
	read -r _ PORT <"$WORK/ready"
}

# look NAME ROUNDS < ITEMS: a run whose scenario scrapes ITEMS of YAML.
look() {
	{
		cat scenarios/kubelogs/basic.yaml
		printf 'scrape:\n'
		cat
	} >"$WORK/$1.yaml"
	new_folder
	LIMIT=60 perfbpf run -o "$DIR" --target curl --scenario "$WORK/$1.yaml" --rounds "$2" \
		--warmup 500ms --duration 1s --cooldown 200ms
	[[ -s $DIR/run.json ]] && return
	fail "$1" "exit $RC, and no run.json: $(error_line)"
	return 1
}

# scrape NAME ROUNDS < ITEMS: the same, and it must be a good one.
scrape() {
	look "$1" "$2" || return
	equal "$1/exit" "$RC" 0
	holds "$1/valid" '(.rounds | length > 0) and (.rounds | all(.validity.valid and .latency.delivery.count > 1000))'
}

# noted NAME AS WHY: one note tells that AS is missing, and why.
noted() {
	local notes
	notes=$(value ".notes[] | select(startswith(\"scrape '$2' of \"))")
	if [[ $(wc -l <<<"$notes") != 1 || ! $notes =~ $3 ]]; then
		fail "$1/note" "no /$3/ in the notes: $notes"
	else
		ok "$1/note"
	fi
	check "$1/note-in-report" 'it is not in report.txt' grep -qF "scrape '$2' of " "$DIR/report.txt"
	holds "$1/not-there" "[.rounds[].latency | has(\"$2\")] | any | not"
}

publish
if scrape beside 2 <<-END; then
	  - url: http://127.0.0.1:$PORT/metrics
	    histogram: truth_seconds
	    labels: {handler: /users}
	    as: handler.users
	  - {url: "http://127.0.0.1:$PORT/metrics", histogram: truth_seconds, as: all_handlers}
	END
	# One look's worth in each round, though the first found more already.
	equal beside/count "$(value '[.rounds[].latency["handler.users"].count] | join(" ")')" '10000 10000'
	equal beside/labels-add-up "$(value '.rounds[0].latency.all_handlers.count')" 10077
	declare -A found=()
	numbers found '.rounds[1].latency["handler.users"]'
	# Values 1 to 9,000 are spread over 1 to 2 ms, the last 1,000 over 10 to 20 ms.
	within beside/mean "${found[mean_seconds]}" 0.00285 0.001
	within beside/p50 "${found[p50_seconds]}" 0.00155555555 0.001
	within beside/p90 "${found[p90_seconds]}" 0.002 0.001
	within beside/p95 "${found[p95_seconds]}" 0.015 0.001
	within beside/p99 "${found[p99_seconds]}" 0.019 0.001
	within beside/p99.9 "${found[p999_seconds]}" 0.0199 0.001
	holds beside/extremes-are-not-known '.rounds[0].latency["handler.users"] |
		.min_seconds == null and .max_seconds == null'
	holds beside/buckets '.rounds[0].latency["handler.users"] |
		(.bucket_upper_seconds == [0.001, 0.002, 0.005, 0.01, 0.02]) and (.bucket_counts == [0, 9000, 0, 0, 1000])'
	holds beside/own-latency '[.rounds[].latency.delivery | .p99_seconds > 0] | all'
	holds beside/no-note '[.notes[] | select(startswith("scrape"))] == []'
	# Where the looks were farther from the window's ends than 1 % of it, that is told, once a round.
	holds beside/looks '[.notes[] | select(startswith("what was scraped is of "))] | length <= 2'
	# Both rounds together, in the section of the text report where delivery is, too.
	check beside/report "$(grep -A 5 '^Other latencies' "$DIR/report.txt")" \
		grep -qE '^handler\.users +20,000 +1\.56 ms +15\.0 ms +19\.0 ms +19\.9 ms +-$' "$DIR/report.txt"
	check beside/report-section "$(grep -A 5 '^Other latencies' "$DIR/report.txt")" \
		awk '/^Other latencies/ { inside = 1 } /^$/ { inside = 0 }
			inside && /^(handler\.users|delivery) / { n++ } END { exit n != 2 }' "$DIR/report.txt"
	check beside/hdr 'no section of its own' \
		grep -qE '^#\[Latency A handler\.users, .* 2 valid rounds, 20000 values\]$' "$DIR/latency.hdr.txt"
	equal beside/openmetrics "$(grep -E '^perfbpf_latency_seconds_bucket\{.*name="handler\.users"' \
		"$DIR/metrics.openmetrics.txt" | sed 's/.*le="//; s/"}//' | paste -sd,)" \
		'0.001 0,0.002 18000,0.005 18000,0.01 18000,0.02 20000,+Inf 20000'
fi
# Of what is there and what is not, each is told by itself; an address is asked once for all.
if scrape partly 1 <<-END; then
	  - {url: "http://127.0.0.1:$PORT/metrics", histogram: truth_seconds, labels: {handler: /users}, as: there}
	  - {url: "http://127.0.0.1:$PORT/metrics", histogram: nosuch_seconds, as: no-histogram}
	  - {url: "http://127.0.0.1:$PORT/metrics", histogram: truth_seconds, labels: {handler: /none}, as: no-series}
	  - {url: "http://127.0.0.1:$PORT/nowhere", histogram: truth_seconds, as: no-page}
	END
	equal partly/there "$(value '.rounds[0].latency.there.count')" 10000
	noted partly/no-histogram no-histogram 'no such histogram'
	noted partly/no-series no-series 'no such histogram'
	noted partly/no-page no-page 'HTTP status 404'
fi
kill "$OTHER"

scrape unreachable 1 <<-END &&
	  - {url: "http://127.0.0.1:$(free_port)/metrics", histogram: truth_seconds, as: nobody}
	END
	noted unreachable nobody 'connect'

# It answers the first look, and is gone at the second.
publish --answers 1
scrape vanished 1 <<-END &&
	  - {url: "http://127.0.0.1:$PORT/metrics", histogram: truth_seconds, as: vanished}
	END
	noted vanished vanished 'connect'

# The other address takes its time at the first look: what is between both looks is more than the window.
publish
if command -v socat >/dev/null; then
	port=$(free_port)
	start_other socat -u "TCP-LISTEN:$port,bind=127.0.0.1,fork" OPEN:/dev/null
	sleep 0.3
	if look apart 1 <<-END; then
		  - {url: "http://127.0.0.1:$PORT/metrics", histogram: truth_seconds, as: early}
		  - {url: "http://127.0.0.1:$port/metrics", histogram: truth_seconds, as: silent}
		END
		holds apart/told '[.notes[] | select(test("^what was scraped is of 1[.][0-9]+ s, the window of 1.000 s"))] | length == 1'
	fi
fi

# It takes the call and says nothing: the run does not wait for it for long. What the window then
# missed is told.
if command -v socat >/dev/null; then
	port=$(free_port)
	start_other socat -u "TCP-LISTEN:$port,bind=127.0.0.1,fork" OPEN:/dev/null
	sleep 0.3
	begin=$SECONDS
	if look silent 1 <<-END; then
		  - {url: "http://127.0.0.1:$port/metrics", histogram: truth_seconds, as: silent}
		END
		noted silent silent 'Timeout|timed out'
		holds silent/valid-or-told '(.rounds[0].validity.valid) or
			([.notes[] | select(test("took so long"))] | length == 1)'
		check silent/in-time "it took $((SECONDS - begin)) s" test $((SECONDS - begin)) -lt 20
	fi
else
	skip silent 'there is no socat on PATH'
fi
