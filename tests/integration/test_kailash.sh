#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The Kailash suite under perfbpf: its quick size with the plain runner, a runner whose answers are wrong,
# a database as an unmeasured component, a pool of connections that is exhausted, and the real one
# where it is installed.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_bpf
need_command curl
[[ -x /usr/bin/python3 ]] || skip_all 'there is no /usr/bin/python3'
/usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || skip_all '/usr/bin/python3 is older than 3.11'

# suite NAME TARGET SCENARIO ARGUMENT...: a short run of it; its exit status is RC.
suite() {
	local name=$1 target=$2 scenario=$3
	shift 3
	new_folder
	LIMIT=90 perfbpf run --quiet -o "$DIR" --rounds 1 --target "$target" --scenario "$scenario" --profile none \
		--warmup 500ms --duration 3s "$@"
	[[ -s $DIR/run.json ]] && return
	fail "$name" "exit $RC, and no run.json: $(error_line)"
	return 1
}

if suite quick workflow-plain kailash/quick; then
	equal quick/exit "$RC" 0
	holds quick/valid '.rounds | length == 1 and all(.validity.valid)'
	holds quick/no-errors '.rounds[0].work | .operations > 50 and .errors == 0'
	equal quick/kinds "$(value '[.rounds[0].latency | to_entries[] |
		select(.key | test("^response[ .](data_processing|analytics|transformation)")) | select(.value.count > 0)] | length')" 9
	# What waits for a worker, waits outside of it: 32 workflows, 16 workers.
	holds quick/queue-is-seen '.rounds[0].latency | .response.mean_seconds > 1.5 * .inside_worker.mean_seconds'
	holds quick/cost-is-the-runners '.rounds[0] | .cpu.total_seconds > 0.5 and
		([.processes[].exe | strings] | any(test("python3")))'
fi

# A runner that filters otherwise: as fast as the other, and wrong.
cp -r scenarios/scripts "$WORK/scripts"
chmod -R a+rX "$WORK"
sed -i 's/\(row\["score"\] >= \)250/\1260/' "$WORK/scripts/workflow_graphs.py"
cmp -s scenarios/scripts/workflow_graphs.py "$WORK/scripts/workflow_graphs.py" &&
	fail wrong 'the test does not understand workflow_graphs.py any more'
sed "s|\${scripts}|$WORK/scripts|" scenarios/targets/workflow-plain.yaml >"$WORK/wrong.yaml"
if suite wrong "$WORK/wrong.yaml" kailash/quick; then
	equal wrong/exit "$RC" 99
	# A third of the requests is of that kind, and each of them is found.
	holds wrong/found '.rounds[0].work | .errors / (.errors + .operations) | . > 0.2 and . < 0.5'
	holds wrong/named '.rounds[0].errors | length == 1 and .[0].count > 0'
fi

# with_database NAME COMMAND MODULE ARGUMENT...
with_database() {
	local name=$1 command=$2 module=$3
	shift 3
	if ! command -v "$command" >/dev/null && ! compgen -G "/usr/lib/postgresql/*/bin/$command" >/dev/null; then
		skip "$name" "there is no $command"
		return 1
	fi
	if ! /usr/bin/python3 -c "import $module" 2>/dev/null; then
		skip "$name" "/usr/bin/python3 has no module $module (Debian's python3-$module)"
		return 1
	fi
	suite "$name" workflow-plain "$@"
}

for row in 'redis redis-server redis' 'postgres postgres psycopg2' 'mariadb mariadbd pymysql'; do
	read -r name command module <<<"$row"
	with_database "$name" "$command" "$module" "kailash/$name" || continue
	equal "$name/exit" "$RC" 0
	holds "$name/no-errors" '.rounds[0].work | .operations > 20 and .errors == 0'
	# It stood beside the side, and is no part of what the side cost.
	holds "$name/unmeasured" "[.rounds[0].processes[].exe | strings | select(test(\"$command\"))] == []"
	check "$name/log" "$(ls "$DIR/logs")" test -e "$DIR/logs/pair0-A.$name.log"
done
check none-left "$(marked_pids)" none_marked

[[ -x ${HOME:-/nonexistent}/.local/bin/kailash-python ]] && PATH=$PATH:$HOME/.local/bin
if ! command -v kailash-python >/dev/null; then
	skip kailash 'there is no kailash-python on PATH (tools/install-peers.sh)'
else
	if suite kailash kailash kailash/quick --vs workflow-plain; then
		equal kailash/exit "$RC" 0
		holds kailash/no-errors '[.rounds[].work | .operations > 5 and .errors == 0] | all'
		holds kailash/dearer '[.rounds[] | {(.side): (.cpu.total_seconds / .work.operations)}] | add | .A > .B'
	fi
	if command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; then
		# 200 want 50: each of the others waits longer than it is patient.
		suite exhaustion kailash kailash/database_exhaustion --warmup 3s --duration 10s &&
			holds exhaustion/found '.rounds[0].errors | any(.kind == "status 503" and .count > 0)'
	fi
fi
