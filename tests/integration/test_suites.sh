#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The quick size of each suite, as a user runs it, with figures in its report; and a defect planted in
# each, which must be caught. (Wake and Stern: test_kubelogs and test_unequal_work; workflows:
# test_kailash.)
# lane: single
. "$(dirname "$0")/lib.sh"
need_bpf

# suite NAME ARGUMENT...: one run of one round.
suite() {
	NAME=$1
	shift
	new_folder
	LIMIT=150 perfbpf run -o "$DIR" --rounds 1 --profile none "$@"
	[[ -s $DIR/run.json ]] && return
	fail "$NAME" "exit $RC, and no run.json: $(error_line)"
	return 1
}

# A sound run: valid, some work, its time in the kernel's account too.
sound() {
	equal "$NAME/exit" "$RC" 0
	holds "$NAME/valid" '.rounds | length == 1 and all(.validity.valid)'
	holds "$NAME/work" ".rounds[0].work | .operations >= $1 and .errors == 0"
	holds "$NAME/response" '.rounds[0].latency.response | .count > 0 and .p50_seconds > 0'
	holds "$NAME/cpu" '.rounds[0].cpu.total_seconds > 0.05'
	check "$NAME/report" 'no table of load in the report' grep -q '^Load by phase' "$DIR/report.txt"
}

# --- nginx, by the http driver -----------------------------------------------------------
if command -v nginx >/dev/null; then
	suite http --target nginx --warmup 300ms --duration 2s && {
		sound 1000
		holds http/requests-as-the-kernel-counts \
			'.rounds[0] | ((.requests.served - .work.operations) | fabs) <= 32 + .work.operations / 100'
	}
	# A target that answers wrongly makes no valid round, however fast it is.
	sed 's/return 200/return 503/' scenarios/targets/nginx.yaml >"$WORK/broken.yaml"
	suite http-wrong --target "$WORK/broken.yaml" --scenario http/nginx --warmup 0 --duration 1s && {
		equal http-wrong/exit "$RC" 96
		holds http-wrong/kind '.rounds[0].errors[0].kind == "status 503"'
	}
	# Unequal work of two sides: the same requests, and half of one's fail.
	suite http-limited --target nginx --scenario http/nginx --warmup 0 --duration 1s \
		--threshold 'latency.response:p(99)<1us' && equal http-threshold/exit "$RC" 99
else
	skip http 'there is no nginx on PATH'
fi

# --- etcd, the stand-in of Warren ----------------------------------------------------------
if command -v etcd >/dev/null && command -v etcdctl >/dev/null; then
	suite etcd --target etcd --scenario etcd/quick --warmup 500ms --duration 4s && {
		sound 20
		holds etcd/three-members '[.rounds[0].processes[] | select(.comm == "etcd")] | length == 3'
		holds etcd/exec-in-the-kernel '.rounds[0] | .latency.exec.count > 0 and
			(.latency.exec.p50_seconds < .latency.response.p50_seconds * 1.2)'
		holds etcd/kinds '[.rounds[0].kinds[].name] | sort == ["delete", "get", "put"]'
		holds etcd/scraped '.rounds[0] | (.latency.m1_wal_fsync.count > 0) and
			([.side_metrics[] | select(.name == "proposals_applied").value][0] > 10)'
	}
	suite etcd-failover --target etcd --scenario etcd/failover --warmup 1s --duration 15s && {
		# A command can be late, or fail, where the machine has much else to do; the recovery is
		# what counts.
		check etcd-failover/exit "exit $RC" test "$RC" -eq 0 -o "$RC" -eq 96 -o "$RC" -eq 99
		holds etcd-failover/killed '.rounds[0].faults[0] | .verified and .undone'
		holds etcd-failover/recovered '.rounds[0].recovery[0] | .outage_seconds > 0.3 and .outage_seconds < 10'
		holds etcd-failover/answers-after '.rounds[0] | .work.operations > 50 and .work.errors < .work.operations'
		holds etcd-failover/restarted '[.rounds[0].processes[] | select(.comm == "etcd")] | length >= 4'
	}
	# A key that is not what was put there, and one that the count after the load finds too many.
	sed -e 's/expect_output: before/expect_output: other/' scenarios/etcd/quick.yaml >"$WORK/other.yaml"
	suite etcd-wrong --target etcd --scenario "$WORK/other.yaml" --warmup 0 --duration 2s && {
		# Its threshold on good answers says how many may be wrong: none.
		equal etcd-wrong/exit "$RC" 99
		holds etcd-wrong/kind '[.rounds[0].errors[].kind] | any(test("output"))'
	}
	sed -e 's/m3}", clean\]/m3}", count, "1"]/' scenarios/etcd/quick.yaml >"$WORK/stray.yaml"
	suite etcd-unclean --target etcd --scenario "$WORK/stray.yaml" --warmup 0 --duration 2s && {
		equal etcd-unclean/exit "$RC" 1
		check etcd-unclean/says "it says: $(error_line)" grep -q "hook conclude: 'sh' ended with exit code 1" "$ERR"
	}
else
	skip etcd 'there is no etcd or etcdctl on PATH'
fi

# --- PostgreSQL with vectors ---------------------------------------------------------------
if perfbpf list drivers && grep -q '^ *postgres .*not in this build' "$OUT"; then
	skip postgres 'the driver is not in this build'
elif ! compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null && ! command -v postgres >/dev/null; then
	skip postgres 'there is no PostgreSQL'
elif ! id postgres >/dev/null 2>&1; then
	skip postgres 'there is no user postgres'
else
	suite postgres --target postgres --scenario postgres/quick --warmup 2s --duration 5s && {
		sound 50
		holds postgres/rows '.rounds[0].work | .rows == .rows_expected and .rows > 100'
		holds postgres/side-metrics '[.rounds[0].side_metrics[] | select(.name == "cache_hit_ratio").value][0] |
			. > 0.5 and . <= 1'
		holds postgres/server '[.rounds[0].processes[] | select(.comm | startswith("postgres"))] | length > 20'
	}
	# A query that returns 3 of 10 rows.
	sed '0,/LIMIT 10/s//LIMIT 3/' scenarios/postgres/quick.yaml >"$WORK/short.yaml"
	suite postgres-short --target postgres --scenario "$WORK/short.yaml" --warmup 2s --duration 2s && {
		equal postgres-short/exit "$RC" 96
		holds postgres-short/kind '[.rounds[0].errors[].kind] | any(test("rows"))'
	}
	for pid in $(value '.rounds[0].processes[].pid'); do
		[[ -d /proc/$pid && $(cat "/proc/$pid/comm") == postgres* ]] && echo "$pid runs on"
	done >"$WORK/left"
	check postgres/nothing-left "$(cat "$WORK/left")" test ! -s "$WORK/left"
fi

# --- Kafka ---------------------------------------------------------------------------------
perfbpf list targets
if ! grep -q '^ *kafka ' "$OUT" || grep -q '^ *kafka .*not installed here' "$OUT"; then
	skip kafka 'Apache Kafka is not installed (tools/install-peers.sh gets it)'
elif perfbpf list drivers && grep -q '^ *kafka .*not in this build' "$OUT"; then
	skip kafka 'the driver is not in this build'
else
	suite kafka --target kafka --scenario kafka/quick && {
		sound 500
		holds kafka/end-to-end '.rounds[0].latency.end_to_end | .count > 500 and .p50_seconds > 0'
		holds kafka/none-lost '.rounds[0].work | .lost == 0 and .duplicated == 0'
	}
fi
