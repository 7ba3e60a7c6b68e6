#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `make install` puts the program and its scenarios where DESTDIR and PREFIX say.
# lane: shared
. "$(dirname "$0")/lib.sh"
need_command make

if ! timeout 120 make -s install PREFIX=/opt/perfbpf "DESTDIR=$WORK/root" >"$OUT" 2>"$ERR"; then
	fail install "$(tail -n 1 "$ERR")"
	exit
fi
ok install
for file in bin/perfbpf share/perfbpf/scenarios/kubelogs/basic.yaml share/perfbpf/scenarios/targets/curl.yaml \
	share/perfbpf/run.schema.json share/doc/perfbpf/LICENSE share/doc/perfbpf/README.md; do
	check "install/$file" 'not installed' test -s "$WORK/root/opt/perfbpf/$file"
done
equal install/version "$(cd "$WORK" && "$WORK/root/opt/perfbpf/bin/perfbpf" --version)" "$("$PERFBPF" --version)"

# It finds its scenarios where they were installed, not where it was built.
timeout 120 make -s install "PREFIX=$WORK/prefix" >"$OUT" 2>"$ERR"
(cd "$WORK" && timeout 10 "$WORK/prefix/bin/perfbpf" list scenarios) >"$OUT" 2>"$ERR"
check prefix/finds-scenarios "$(head -n 3 "$OUT" "$ERR")" grep -q kubelogs/basic "$OUT"
