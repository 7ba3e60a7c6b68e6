#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# warren-node.sh first DIR API RAFT                    a manager that begins a cluster
# warren-node.sh join DIR API RAFT FIRST-DIR FIRST-API  another one that joins it
# warren-node.sh cli DIR API                            gets a certificate for commands to API, into $HOME
# warren-node.sh leader NAME=API...                     prints the NAME of the manager that leads
#
# DIR is a manager's own folder, API and RAFT its addresses. A manager prints the tokens that others
# join with, so its output is kept in DIR/output.
set -eu

fail() {
	echo "warren-node: $1" >&2
	exit 1
}

command -v warren >/dev/null ||
	fail "there is no warren on PATH; get it from the releases page of github.com/cuemby/warren"

# token DIR TITLE: the line behind the title in a manager's output, for as long as that may take.
token() {
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		found=$(sed -n "/^$2/{n;s/^ *//p;q}" "$1/output" 2>/dev/null || true)
		[ -z "$found" ] || break
		sleep 0.5
	done
	[ -n "$found" ] || fail "the manager in $1 has printed no '$2'"
	echo "$found"
}

leader() {
	for member in "$@"; do
		id=$(warren cluster info --manager "${member#*=}" 2>/dev/null |
			sed -n 's/^ *Leader ID: *//p') || continue
		[ -n "$id" ] || continue
		echo "$id"
		exit 0
	done
	fail 'no manager knows of a leader'
}

action=$1
shift
case $action in
first)
	exec warren cluster init --manager-only --external-containerd --node-id "$(basename "$1")" \
		--data-dir "$1/data" --api-addr "$2" --bind-addr "$3" >"$1/output"
	;;
join)
	exec warren manager join --external-containerd --node-id "$(basename "$1")" \
		--data-dir "$1/data" --api-addr "$2" --bind-addr "$3" --leader "$5" \
		--token "$(token "$4" 'Manager Token')" >"$1/output"
	;;
cli)
	exec warren init --manager "$2" --token "$(token "$1" 'CLI Token')"
	;;
leader)
	leader "$@"
	;;
*)
	fail "'$action' is nothing that it does"
	;;
esac
