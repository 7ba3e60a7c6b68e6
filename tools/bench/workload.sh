#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# workload.sh TRUTH: work that makes each kind of event many times, in a tree of processes.
truth=$1
{
	"$truth/children" 500 0.5
	"$truth/children" 200 0.2 --spawn
	"$truth/bytes" write 20000000 --chunk 200 --fork
	"$truth/bytes" unix 20000000 --chunk 200
	"$truth/connections" open 500
	"$truth/pages" 20000
	"$truth/switches" 8000
} >/dev/null
