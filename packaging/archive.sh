#!/bin/sh
# Packs a program that was built for a target, as `cargo binstall` and the formula expect it, with its manual pages and
# completions: packaging/archive.sh PROGRAM TARGET FOLDER. Beside the archive it writes its SHA-256 checksum.
set -eu
program=$(realpath "$1") target=$2
mkdir -p "$3"
folder=$(cd "$3" && pwd)
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
name="oversell-sim-$version-$target"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
mkdir -p "$work/$name"
cp "$program" "$work/$name/oversell-sim"
cp README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$work/$name"
packaging/extras.sh "$program" "$work/$name"
tar -C "$work" -czf "$folder/$name.tar.gz" "$name"
cd "$folder"
if command -v sha256sum >/dev/null; then
    sha256sum "$name.tar.gz" >"$name.tar.gz.sha256"
else
    shasum -a 256 "$name.tar.gz" >"$name.tar.gz.sha256"
fi
