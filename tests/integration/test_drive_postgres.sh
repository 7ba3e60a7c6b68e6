#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The driver postgres against a real server: what it counts is what the server has seen, and what
# the server does wrong is found.
# shellcheck disable=SC2016
# lane: shared
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/integration/servers.sh
. "$(dirname "$0")/servers.sh"
need_root
perfbpf drive --check scenarios/postgres/quick.yaml
((RC == 0)) || skip_all "this build has no driver postgres: $(error_line)"
ldconfig -p | grep -q 'libpq\.so\.5' || skip_all 'there is no libpq.so.5 (Debian package libpq5)'
MAX_CONNECTIONS=150
start_postgres -c "max_connections=$MAX_CONNECTIONS" -c fsync=off || skip_all "$MISSING"

sql() { psql -qAtc "$1"; }

# scenario PHASE STATEMENT...: writes $WORK/s.yaml, with a dataset of 40 rows in 4 namespaces.
# Without an index, as one of approximate neighbours may leave some out.
scenario() {
	local phase=$1
	shift
	cat >"$WORK/s.yaml" <<-END
		driver: postgres
		postgres:
		  connection: host=127.0.0.1 port=\${port} user=postgres dbname=postgres
		  timeout: ${TIMEOUT:-10s}
		  dataset: {table: memories, rows: 40, dimensions: 8, namespaces: 4, index: false, replace: true}
		  prepare: ["${PREPARE:-SELECT 1}"]
		  side_metrics:
		    - {name: rows, sql: SELECT count(*) FROM memories}
		    - {name: hits, sql: "SELECT sum(blks_hit), sum(blks_hit) + sum(blks_read) FROM pg_stat_database"}
		    - {name: wrong, sql: SELECT nonsense}
		  statements:
		$(printf '    - {%s}\n' "$@")
		phases:
		  - {name: measured, role: measured, $phase}
	END
}
drive() { LIMIT=30 perfbpf drive "$WORK/s.yaml" --set "port=$PGPORT" "$@"; }
told() { value "$1" "$OUT"; }
iterations() { echo "executor: per-vu-iterations, vus: $1, iterations: $2, duration: 20s"; }

search='name: search, rows: 10, parameters: [{namespace: 4}, {vector: 8}], sql: "SELECT id FROM memories WHERE namespace = $1 ORDER BY embedding <=> $2 LIMIT 10"'
insert='name: insert, rows: 1, parameters: [{text: 20}, {vector: 8}], sql: "INSERT INTO memories (namespace, content, embedding) VALUES (0, $1, $2)"'
batch='name: batch, batch: 30, parameters: [{text: 20}, {vector: 8}], sql: "INSERT INTO memories (namespace, content, embedding) VALUES", values: "(1, $1, $2)"'

# Each request is counted, and has been made.
scenario "$(iterations 10 20)" "$search" "$insert" "$batch" 'name: both, transaction: [search, insert]'
drive
equal counts/exit "$RC" 0
equal counts/operations "$(told .work.operations)" 200
equal counts/errors "$(told .work.errors)" 0
declare -A kinds
numbers kinds '[.kinds[] | {(.name): .operations}] | add' "$OUT"
equal counts/kinds "$((kinds[search] + kinds[insert] + kinds[batch] + kinds[both]))" 200
equal counts/inserted "$(sql "SELECT count(*) FROM memories WHERE namespace = '0'")" $((kinds[insert] + kinds[both]))
equal counts/batches "$(sql "SELECT count(*) FROM memories WHERE namespace = '1'")" $((30 * kinds[batch]))
equal counts/rows "$(told .work.rows)" \
	$((10 * kinds[search] + kinds[insert] + 30 * kinds[batch] + 11 * kinds[both]))
equal counts/rows-expected "$(told .work.rows_expected)" "$(told .work.rows)"
equal counts/response "$(told .latency.response.count)" 200
equal side-metrics/rows "$(told .side_metrics.rows)" "$(sql 'SELECT count(*)::float FROM memories')"
check side-metrics/ratio "$(told .side_metrics.hits)" jq -e '.side_metrics.hits | . > 0 and . <= 1' "$OUT"
equal side-metrics/wrong "$(told .side_metrics.wrong)" null
check side-metrics/wrong-is-told "$(told .notes)" grep -q "side metric 'wrong' is not known: ERROR" "$OUT"

# The same seed makes the same data, another one makes others.
content() { sql "SELECT md5(string_agg(namespace || content || embedding::text, ',' ORDER BY id)) FROM memories WHERE id <= 40"; }
first=$(content)
scenario "$(iterations 1 1)" "$search"
drive
equal data/rows "$(sql 'SELECT count(*) FROM memories')" 40
equal data/namespaces "$(sql 'SELECT string_agg(n::text, $$ $$) FROM (SELECT count(*) n FROM memories GROUP BY namespace) x')" '10 10 10 10'
equal data/same-seed "$(content)" "$first"
drive --seed 2
check data/other-seed 'seed 2 made the same data' test "$(content)" != "$first"
# Of stored vectors to each other, by the operator and by the textbook.
if sql "SELECT 1 FROM pg_extension WHERE extname = 'vector'" | grep -q 1; then
	skip data/distance 'the extension has its own'
else
	equal data/distance "$(sql "SELECT max(abs((a.embedding <=> b.embedding) - (1 - (
		SELECT sum(x * y) / sqrt(sum(x * x) * sum(y * y)) FROM unnest(a.embedding, b.embedding) AS t(x, y)))))
		< 1e-4 FROM memories a, memories b")" t
fi

# A query that returns 3 of 10 rows is an error, and so is one that returns more.
scenario "$(iterations 4 25)" "${search/LIMIT 10/LIMIT 3}"
drive
equal rows/short "$(told '.errors["rows short"]')" 100
equal rows/good "$(told .work.operations)" 0
equal rows/came "$(told '"\(.work.rows) of \(.work.rows_expected)"')" '300 of 1000'
check rows/told "$(told .notes)" grep -q "100 answers had fewer rows than 10, the fewest 3" "$OUT"
scenario "$(iterations 1 10)" "${search/rows: 10/rows: 9}" 'name: few, rows_min: 50, sql: SELECT id FROM memories'
drive
equal rows/over-and-short "$(told '.errors | "\(keys) \(add)"')" '["rows over","rows short"] 10'

# What the server refuses is counted by its code, and a transaction leaves nothing behind.
scenario "$(iterations 2 50)" 'name: column, sql: SELECT nonsense' \
	'name: zero, sql: SELECT 1 / $1::int, parameters: [{int: [0, 0]}]' \
	'name: text, sql: "SELECT $1::int", parameters: [{one_of: [abc]}]' \
	'name: copy, sql: COPY memories TO STDOUT' \
	"${insert/name: insert/name: insert, weight: 0}" \
	'name: fails, weight: 0, sql: "INSERT INTO memories (namespace) VALUES (1)"' \
	'name: rolled-back, transaction: [insert, fails]'
drive
equal refused/exit "$RC" 0
equal refused/all "$(told .work.errors)" 100
check refused/codes "$(told .errors)" jq -e '.errors | has("sqlstate 42703") and has("sqlstate 22012") and
	has("sqlstate 22P02") and has("sqlstate 23502")' "$OUT"
equal refused/rolled-back "$(sql 'SELECT count(*) FROM memories')" 40

# One statement that takes too long is given up.
TIMEOUT=1s scenario "$(iterations 1 1)" 'name: slow, sql: "SELECT 1 FROM pg_sleep(30)"'
drive
equal slow/timeout "$(told .errors.timeout)" 1

# More than a hundred connections at a time; and more than the server takes.
scenario 'executor: constant-vus, vus: 120, duration: 4s' 'name: nap, rows: 1, sql: SELECT 1 FROM pg_sleep(0.2)'
start_perfbpf drive "$WORK/s.yaml" --set "port=$PGPORT"
has_connections() { (($(sql "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()") >= 120)); }
check many/connections 'there never were 120 connections at a time' wait_for 6 has_connections
wait_end 20
equal many/exit "$RC" 0
equal many/errors "$(told .work.errors)" 0
scenario "$(iterations $((MAX_CONNECTIONS + 20)) 1)" 'name: nap, rows: 1, sql: SELECT 1 FROM pg_sleep(1)'
drive
equal too-many/all "$(told '.work.operations + .work.errors')" $((MAX_CONNECTIONS + 20))
check too-many/told "$(told .errors)" jq -e '.errors | keys == ["sqlstate 53300"] and add >= 20' "$OUT"

# The server goes in the middle and comes back: errors are counted, and the users go on.
scenario 'executor: constant-vus, vus: 8, duration: 5s' "$search" 'name: nap, rows: 1, sql: SELECT 1 FROM pg_sleep(0.01)'
start_perfbpf drive "$WORK/s.yaml" --set "port=$PGPORT"
is_under_way() { (($(sql "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%'") > 4)); }
wait_for 10 is_under_way
kill -INT "$POSTGRES"
wait_for 10 is_zombie_or_gone "$POSTGRES"
sleep 0.3
serve_postgres -c "max_connections=$MAX_CONNECTIONS" -c fsync=off || fail restart/server "$MISSING"
wait_end 20
equal restart/exit "$RC" 0
check restart/errors "$(told .errors)" jq -e '.errors | .connection > 0 and (keys - ["connection", "sqlstate 57P01", "sqlstate 57P03"] == [])' "$OUT"
check restart/goes-on "$(told .operations_per_second)" jq -e '.operations_per_second | .[-2] > 20' "$OUT"
# Eight users that try ten times a second.
check restart/no-storm "$(told .errors.connection) errors of connections" jq -e '.errors.connection < 500' "$OUT"

# What goes wrong before the load ends it, with the place and the server's words.
PREPARE='CREATE nonsense' scenario "$(iterations 1 1)" "$search"
drive
equal setup/sql "$RC $(error_line)" "1 perfbpf: postgres: prepare[0]: ERROR:  syntax error at or near \"nonsense\""
scenario "$(iterations 1 1)" "$search"
sed -i 's/, replace: true//' "$WORK/s.yaml"
drive
check setup/table-exists "$(error_line)" grep -q "dataset 'memories': ERROR:  relation \"memories\" already exists" "$ERR"
sed -i 's/timeout: 10s/setup_timeout: 1s/; s/127.0.0.1/127.0.0.1 connect_timeout=2/' "$WORK/s.yaml"
PGPORT=$(free_port) drive
check setup/nobody-there "exit $RC: $(error_line)" grep -q 'perfbpf: postgres: cannot connect: .*refused' "$ERR"
sed -i 's/port=[^ ]*/port=${nothing}/' "$WORK/s.yaml"
drive
check setup/variable "$(error_line)" grep -q 'postgres.connection.: unknown variable' "$ERR"
