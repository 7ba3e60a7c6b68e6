#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# install-peers.sh [--only NAME,NAME...] [FOLDER]
#
# Gets what is compared and what Debian does not package, where this machine can: real stern and
# benchstat, by a Go toolchain; the Python package kailash, by pip, in an environment of its own below
# $HOME/.local/share/perfbpf; Apache Kafka, by Maven, with its jars there, too; promtool, out of Debian's
# package prometheus, whose server nobody wants here. NAME is one of
# these: stern, benchstat, kailash, kafka, promtool. What is run goes into FOLDER, $HOME/.local/bin unless named; it should be
# on PATH. (For `make check` alone, PERFBPF_STERN may name stern's file.) What this machine lacks
# the means for is said and skipped.
set -u

STERN=github.com/stern/stern
STERN_VERSION=v1.33.1
BENCHSTAT=golang.org/x/perf
BENCHSTAT_VERSION=v0.0.0-20260908200009-22c9c6c9d4da
KAILASH_VERSION=2.65.0
KAFKA_VERSION=3.9.1
wanted=stern,benchstat,kailash,kafka,promtool
if [[ ${1:-} == --only ]]; then
	wanted=${2:?'--only wants names: stern,benchstat,kailash,kafka,promtool'}
	shift 2
fi
[[ ${1:-} == -* ]] && {
	sed -n 's/^# \{0,1\}//; 4,13p' "$0"
	exit 2
}
folder=${1:-${HOME:?}/.local/bin}
shared=${XDG_DATA_HOME:-${HOME:?}/.local/share}/perfbpf

say() { printf 'install-peers: %s\n' "$*" >&2; }

# is_built FILE MODULE VERSION: a Go program tells what it was built from.
is_built() {
	[[ -x $1 ]] && go version -m "$1" 2>/dev/null |
		grep -qE "^[[:space:]]*(mod|dep)[[:space:]]+$2[[:space:]]+$3([[:space:]]|\$)"
}

# build_through_module NAME PACKAGE MODULE VERSION: a module of our own that requires it needs no list of
# versions from the module proxy.
build_through_module() {
	local work status
	work=$(mktemp -d) || return
	printf 'module peers\n\ngo 1.24\n\nrequire %s %s\n' "$3" "$4" >"$work/go.mod"
	(cd "$work" && GOWORK=off GOFLAGS='' timeout 1200 go build -mod=mod -o "$folder/$1" "$2")
	status=$?
	rm -rf "$work"
	return "$status"
}

# build_go NAME PACKAGE MODULE VERSION: $folder/NAME by the Go toolchain.
build_go() {
	local name=$1 package=$2 module=$3 version=$4
	if ! command -v go >/dev/null; then
		say "skipped: $name needs a Go toolchain (1.24 or newer), and there is no go on PATH"
		return 0
	fi
	if is_built "$folder/$name" "$module" "$version"; then
		say "$folder/$name is $version already"
		return 0
	fi
	say "building $name $version into $folder"
	if ! GOBIN=$folder timeout 1200 go install "$package@$version"; then
		say 'that did not work, once more through a module of our own'
		build_through_module "$@" || {
			say "failed: $name could not be built"
			return 1
		}
	fi
	is_built "$folder/$name" "$module" "$version" || {
		say "failed: $folder/$name is not $name $version"
		return 1
	}
	say "$folder/$name is ready"
}

# Takes some minutes the first time.
peer_stern() { build_go stern "$STERN" "$STERN" "$STERN_VERSION"; }
peer_benchstat() { build_go benchstat "$BENCHSTAT/cmd/benchstat" "$BENCHSTAT" "$BENCHSTAT_VERSION"; }

peer_promtool() {
	local work status
	if command -v promtool >/dev/null || [[ -x $folder/promtool ]]; then
		say 'promtool is there already'
		return 0
	fi
	if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
		say "skipped: promtool comes out of Debian's package prometheus, and this is no Debian"
		return 0
	fi
	work=$(mktemp -d) || return
	(cd "$work" && timeout 300 apt-get download -q -o APT::Sandbox::User=root prometheus) >&2 &&
		dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$work" ./usr/bin/promtool &&
		install -D "$work/usr/bin/promtool" "$folder/promtool"
	status=$?
	rm -rf "$work"
	((status)) || say "promtool is in $folder"
	return "$status"
}

# A Python that is new enough and can make environments; Debian has that in python3-venv.
find_python() {
	local python
	for python in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do
		"$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
		printf '%s\n' "$python"
		return
	done
	return 1
}

# is_kailash PYTHON: does it have the package, and all that the workflows import of it?
is_kailash() {
	[[ -x $1 && $("$1" -c 'import importlib.metadata as m; print(m.version("kailash"))' 2>/dev/null) == "$KAILASH_VERSION" ]] &&
		"$1" -c 'import psycopg2, pymysql, redis; from kailash.runtime.local import LocalRuntime' 2>/dev/null
}

# What runs the environment's Python from a folder on PATH: a link would lose the environment.
write_kailash_python() {
	printf '#!/bin/sh\nexec "%s" "$@"\n' "$shared/kailash/bin/python" >"$folder/kailash-python" &&
		chmod 755 "$folder/kailash-python"
}

peer_kailash() {
	local python=$shared/kailash/bin/python maker
	if is_kailash "$python"; then
		say "kailash $KAILASH_VERSION is in $shared/kailash already"
		write_kailash_python
		return
	fi
	maker=$(find_python) || {
		say 'skipped: kailash needs Python 3.11 or newer that can make environments (python3-venv)'
		return 0
	}
	say "installing kailash $KAILASH_VERSION into $shared/kailash"
	if ! "$maker" -m venv --clear "$shared/kailash" ||
		! timeout 1200 "$python" -m pip install -q --disable-pip-version-check \
			"kailash==$KAILASH_VERSION" psycopg2-binary PyMySQL redis; then
		say 'failed: pip could not install kailash'
		return 1
	fi
	is_kailash "$python" || {
		say "failed: what is in $shared/kailash is not kailash $KAILASH_VERSION"
		return 1
	}
	write_kailash_python || return
	say "$folder/kailash-python is ready"
}

# A project of our own that needs the broker: Maven finds out what that needs in turn.
fetch_kafka() {
	local work status
	work=$(mktemp -d) || return
	cat >"$work/pom.xml" <<-END
		<project xmlns="http://maven.apache.org/POM/4.0.0">
		  <modelVersion>4.0.0</modelVersion>
		  <groupId>perfbpf</groupId><artifactId>peers</artifactId><version>1</version>
		  <dependencies>
		    <dependency>
		      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
		      <version>$KAFKA_VERSION</version>
		    </dependency>
		  </dependencies>
		</project>
	END
	timeout 1200 mvn -B -q -f "$work/pom.xml" dependency:copy-dependencies \
		-DincludeScope=runtime "-DoutputDirectory=$work/jars" >&2 </dev/null &&
		rm -rf "$shared/kafka" && mv "$work/jars" "$shared/kafka"
	status=$?
	rm -rf "$work"
	return "$status"
}

# Java with all of Kafka: `kafka-java kafka.Kafka server.properties` is a broker.
write_kafka_java() {
	printf '#!/bin/sh\nexec java -cp "%s/*" "$@"\n' "$shared/kafka" >"$folder/kafka-java" &&
		chmod 755 "$folder/kafka-java"
}

peer_kafka() {
	if ! command -v java >/dev/null || ! command -v mvn >/dev/null; then
		say 'skipped: Kafka needs Java (11 or newer) and Maven (openjdk-17-jre-headless, maven)'
		return 0
	fi
	if [[ -f $shared/kafka/kafka_2.13-$KAFKA_VERSION.jar ]]; then
		say "Kafka $KAFKA_VERSION is in $shared/kafka already"
		write_kafka_java
		return
	fi
	say "fetching Kafka $KAFKA_VERSION into $shared/kafka"
	fetch_kafka || {
		say 'failed: Maven could not get Kafka'
		return 1
	}
	write_kafka_java || return
	say "$folder/kafka-java is ready"
}

mkdir -p "$folder" "$shared" || exit 1
folder=$(cd "$folder" && pwd) || exit 1
shared=$(cd "$shared" && pwd) || exit 1
status=0
for peer in ${wanted//,/ }; do
	case $peer in
	stern | benchstat | kailash | kafka | promtool) "peer_$peer" || status=1 ;;
	*)
		say "what is '$peer'? It is one of: stern benchstat kailash kafka promtool"
		exit 2
		;;
	esac
done
case :$PATH: in
*:"$folder":*) ;;
*) say "add $folder to PATH (or, for make check alone: export PERFBPF_STERN=$folder/stern)" ;;
esac
exit "$status"
