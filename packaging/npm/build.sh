#!/bin/sh
# Makes npm packages as esbuild has them, one for each platform and one that chooses among them:
# packaging/npm/build.sh FOLDER PLATFORM=PROGRAM …, such as linux-x64=target/release/oversell-sim.
set -eu
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/../../Cargo.toml" | head -n 1)
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
for pair in "$@"; do
    platform=${pair%%=*}
    # The program for Linux needs glibc.
    case $platform in linux-*) libc=' "libc": ["glibc"],' ;; *) libc= ;; esac
    mkdir -p "$work/$platform/bin"
    cp "${pair#*=}" "$work/$platform/bin/oversell-sim"
    cp "$here/../../LICENSE-APACHE" "$here/../../LICENSE-MIT" "$work/$platform"
    chmod 755 "$work/$platform/bin/oversell-sim"
    cat >"$work/$platform/package.json" <<END
{
  "name": "@oversell-sim/$platform",
  "version": "$version",
  "description": "The program of the package oversell-sim, for $platform",
  "license": "MIT OR Apache-2.0",
  "os": ["${platform%-*}"],$libc
  "cpu": ["${platform#*-}"],
  "files": ["bin", "LICENSE-APACHE", "LICENSE-MIT"]
}
END
    (cd "$work/$platform" && npm pack --silent --pack-destination "$folder")
done
cp -r "$here/oversell-sim" "$work"
sed -i.before "s/\"0\.0\.0\"/\"$version\"/" "$work/oversell-sim/package.json"
cp "$here/../../README.md" "$here/../../LICENSE-APACHE" "$here/../../LICENSE-MIT" "$work/oversell-sim"
(cd "$work/oversell-sim" && npm pack --silent --pack-destination "$folder")
