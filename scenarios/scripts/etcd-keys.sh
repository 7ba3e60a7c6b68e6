#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# etcd-keys.sh ENDPOINTS empty          no key below bench/ is there, and all members are well
# etcd-keys.sh ENDPOINTS fill USERS N   bench/USER-ITERATION for so many users and iterations of each
# etcd-keys.sh ENDPOINTS count N        all members have exactly N keys below bench/, the same ones
# etcd-keys.sh ENDPOINTS clean          all members have the same keys; removes them, and checks that
#
# ENDPOINTS is a list with commas. What is wrong ends it with 1 and one line.
set -eu

endpoints=$1
action=$2
export ETCDCTL_API=3

fail() {
	echo "etcd-keys: $1" >&2
	exit 1
}

ctl() { etcdctl --endpoints "$endpoints" "$@"; }

# Of one member's own store, as a list.
keys_of() {
	etcdctl --endpoints "$1" get --prefix --keys-only --consistency s bench/ | grep . || true
}

# All members agree on what is there, so many keys where a number is given: each is asked for its
# own, again for as long as one may lag.
check_count() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		all_have "$1" && return
		sleep 0.2
	done
	fail "members do not have the same ${1:-}${1:+ }keys:$counts"
}

all_have() {
	counts=
	wanted=
	for endpoint in $(echo "$endpoints" | tr , ' '); do
		keys=$(keys_of "$endpoint")
		n=$(printf '%s\n' "$keys" | grep -c . || true)
		counts="$counts $endpoint has $n;"
		[ -z "$1" ] || [ "$n" -eq "$1" ] || return 1
		[ -z "$wanted" ] || [ "$wanted" = "$n $keys" ] || return 1
		wanted="$n $keys"
	done
}

wait_healthy() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		ctl endpoint health >/dev/null 2>&1 && return
		sleep 0.5
	done
	fail "not all members are healthy: $(ctl endpoint health 2>&1 | tr '\n' ' ')"
}

# Transactions of etcd take 128 operations at most.
put_all() {
	user=0
	while [ "$user" -lt "$1" ]; do
		from=0
		while [ "$from" -lt "$2" ]; do
			to=$((from + 100 < $2 ? from + 100 : $2))
			put_some "$user" "$from" "$to" || fail "cannot put the keys of user $user"
			from=$to
		done
		user=$((user + 1))
	done
}

put_some() {
	{
		echo
		i=$2
		while [ "$i" -lt "$3" ]; do
			echo "put bench/$1-$i before"
			i=$((i + 1))
		done
		echo
		echo
	} | ctl txn >/dev/null
}

case $action in
empty)
	wait_healthy
	check_count 0
	;;
fill)
	wait_healthy
	check_count 0
	put_all "$3" "$4"
	check_count $(($3 * $4))
	;;
count)
	wait_healthy
	check_count "$3"
	;;
clean)
	wait_healthy
	check_count ''
	ctl del --prefix bench/ >/dev/null || fail 'cannot remove the keys'
	check_count 0
	;;
*)
	fail "'$action' is nothing that it does"
	;;
esac
