#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The first and only process that tools/check-kernels.sh has started in its virtual machines.
# It runs integration tests (those of the kernel's command line, perfbpf.tests=NAME,NAME) and
# switches the machine off. What they report goes to the second serial port, a line each:
#     # TEXT          to be shown
#     begin NAME      a script of tests/integration is started
#     ok NAME         FAIL NAME: why, skip NAME: why: a case
#     done            nothing was left out
# All else (the kernel's messages, standard error of the tests) is on the first serial port.
set -u

export PATH=/usr/local/bin:/usr/bin:/usr/sbin HOME=/root TERM=dumb LC_ALL=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sys /sys
mountpoint -q /dev || mount -t devtmpfs dev /dev
# The shell's process substitution goes by it.
ln -s /proc/self/fd /dev/fd 2>/dev/null
mkdir -p /dev/shm
mount -t tmpfs shm /dev/shm
mount -t tmpfs tmp /tmp
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs trace /sys/kernel/tracing
chmod 1777 /tmp /dev/shm
busybox ifconfig lo 127.0.0.1 up
stty -F /dev/ttyS1 raw
exec >/dev/ttyS1 2>/dev/ttyS0 </dev/null

parameter() { sed -n "s/.*perfbpf\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
uptime_seconds() { cut -d ' ' -f 1 /proc/uptime; }

# What the kernel has complained of since this script was started.
kernel_log() {
	local found
	found=$(dmesg | grep -m 1 -E 'WARNING:|BUG:|Oops|soft lockup|stalls on CPUs|hung_task')
	if [[ -n $found ]]; then
		dmesg >&2
		echo "FAIL $1/kernel-log: $found"
	else
		echo "ok $1/kernel-log"
	fi
}

cd /perfbpf || exit 1
dmesg -C
# For a test that cannot be right where nothing runs at its usual speed.
export PERFBPF_TEST_EMULATED=1
export INTEGRATION_LIMIT=900s
mode=$(parameter mode)
echo "# Linux $(uname -r), $(nproc) CPU(s), clock $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
for name in $(parameter tests | tr , ' '); do
	echo "begin $name"
	before=$(uptime_seconds)
	tools/run-integration.sh "$name"
	printf '%s: %s s to %s s\n' "$name" "$before" "$(uptime_seconds)" >&2
done
kernel_log "$mode"
echo 'done'
sync
busybox poweroff -f
