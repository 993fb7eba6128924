#!/bin/sh
# Makes a Debian package in target/debian of the program that `cargo build --release` has made, by cargo-deb: with its
# manual pages, and completions for the shells that the program knows.
set -eu
cd "$(dirname "$0")/../.."
program=${1:-target/release/oversell-sim}
mkdir -p target/packaging target/release
"$program" man --all target/packaging/man
"$program" completions bash >target/packaging/oversell-sim.bash
"$program" completions zsh >target/packaging/_oversell-sim
"$program" completions fish >target/packaging/oversell-sim.fish
[ "$program" = target/release/oversell-sim ] || cp "$program" target/release/oversell-sim
cargo deb --no-build
