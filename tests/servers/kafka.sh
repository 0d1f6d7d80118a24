#!/usr/bin/env bash
# Puts the jars of Apache Kafka where the tests look for them: beside the binaries. Needs maven and a Java runtime.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
jars=$(cd "$target" && pwd)/kafka
[ -d "$jars" ] && exit 0
mvn -q -B -f tests/servers/pom.xml org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$jars.part"
mv "$jars.part" "$jars"
