#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# install-peers.sh [FOLDER]
#
# Builds the log tools that are compared and that Debian does not package, where this
# machine can: real stern, by a Go toolchain. FOLDER is $HOME/.local/bin unless named;
# it should be on PATH. (For `make check` alone, PERFBPF_STERN may name the file.)
set -u

STERN=github.com/stern/stern
STERN_VERSION=v1.33.1
folder=${1:-${HOME:?}/.local/bin}

say() { printf 'install-peers: %s\n' "$*" >&2; }

# Is the file a stern of the wanted version? A Go program tells what it was built from.
is_stern() {
	[[ -x $1 ]] && go version -m "$1" 2>/dev/null |
		grep -qE "^[[:space:]]*(mod|dep)[[:space:]]+${STERN}[[:space:]]+${STERN_VERSION}([[:space:]]|\$)"
}

# A module of our own that requires it: needs no list of versions from the module proxy.
build_through_module() {
	local work status
	work=$(mktemp -d) || return
	printf 'module peers\n\ngo 1.24\n\nrequire %s %s\n' "$STERN" "$STERN_VERSION" >"$work/go.mod"
	(cd "$work" && GOWORK=off GOFLAGS='' timeout 1200 go build -mod=mod -o "$folder/stern" "$STERN")
	status=$?
	rm -rf "$work"
	return "$status"
}

if ! command -v go >/dev/null; then
	say 'skipped: stern needs a Go toolchain (1.24 or newer), and there is no go on PATH'
	exit 0
fi
if is_stern "$folder/stern"; then
	say "$folder/stern is $STERN_VERSION already"
	exit 0
fi
mkdir -p "$folder" || exit 1
folder=$(cd "$folder" && pwd) || exit 1
say "building stern $STERN_VERSION into $folder (some minutes the first time)"
if ! GOBIN=$folder timeout 1200 go install "$STERN@$STERN_VERSION"; then
	say 'that did not work, once more through a module of our own'
	build_through_module || {
		say 'failed: stern could not be built'
		exit 1
	}
fi
is_stern "$folder/stern" || {
	say "failed: $folder/stern is not stern $STERN_VERSION"
	exit 1
}
say "$folder/stern is ready"
case :$PATH: in
*:"$folder":*) ;;
*) say "add $folder to PATH (or, for make check alone: export PERFBPF_STERN=$folder/stern)" ;;
esac
