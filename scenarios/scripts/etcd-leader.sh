#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# etcd-leader.sh NAME=URL...
#
# Prints the NAME of the member that leads the cluster now; for `leader:` of a fault.
set -eu

for member in "$@"; do
	# The fifth of "URL, ID, VERSION, SIZE, IS LEADER, …".
	status=$(etcdctl --endpoints "${member#*=}" --command-timeout 2s endpoint status 2>/dev/null |
		cut -d, -f5) || continue
	if [ "$status" = " true" ]; then
		echo "${member%%=*}"
		exit 0
	fi
done
echo "no member of the etcd cluster leads it" >&2
exit 1
