#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# warren-services.sh API empty              no service is there
# warren-services.sh API fill USERS N R     bench-USER-ITERATION for so many users and iterations, R replicas each
# warren-services.sh API count N            exactly N services are there
# warren-services.sh API clean              deletes them all, and checks that
#
# API is a manager's address. What is wrong ends it with 1 and one line.
set -eu

api=$1
action=$2

fail() {
	echo "warren-services: $1" >&2
	exit 1
}

# After a line of titles; "No services found" has none behind it.
names() {
	warren service list --manager "$api" | awk 'NR > 1 { print $1 }'
}

check_count() {
	n=$(names | grep -c . || true)
	[ "$n" -eq "$1" ] || fail "$n services are there instead of $1"
}

fill() {
	user=0
	while [ "$user" -lt "$1" ]; do
		i=0
		while [ "$i" -lt "$2" ]; do
			warren service create "bench-$user-$i" --manager "$api" --image alpine:latest \
				--replicas "$3" >/dev/null || fail "cannot create bench-$user-$i"
			i=$((i + 1))
		done
		user=$((user + 1))
	done
}

case $action in
empty)
	check_count 0
	;;
fill)
	check_count 0
	fill "$3" "$4" "$5"
	check_count $(($3 * $4))
	;;
count)
	check_count "$3"
	;;
clean)
	for name in $(names); do
		warren service delete "$name" --manager "$api" >/dev/null || fail "cannot delete $name"
	done
	check_count 0
	;;
*)
	fail "'$action' is nothing that it does"
	;;
esac
