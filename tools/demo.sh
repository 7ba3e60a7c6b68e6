#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# demo.sh [OPTION...]
#
# The demonstration: kubectl against curl, both following the logs of 20 pods at 14,000
# lines/s from perfbpf's own Kubernetes log API on loopback. Under two minutes.
# `make demo` installs what it needs, builds, and runs this. OPTIONs are those of `perfbpf run`.
set -u

perfbpf=$(cd "$(dirname "$0")/.." && pwd)/build/perfbpf
command=("$perfbpf" run --target kubectl --vs curl --scenario kubelogs/basic
	--rounds 8 --warmup 1s --duration 4s --cooldown 500ms "$@")

if [[ ! -x $perfbpf ]]; then
	echo "demo: there is no $perfbpf; build it with 'make'" >&2
	exit 1
fi
if ((EUID != 0)); then
	if ! command -v sudo >/dev/null; then
		echo 'demo: loading BPF programs needs root: run this as root, or install sudo' >&2
		exit 3
	fi
	command=(sudo "${command[@]}")
fi
printf '$' >&2
printf ' %s' "${command[@]/#"$perfbpf"/perfbpf}" >&2
printf '\n\n' >&2
exec "${command[@]}"
