#!/bin/sh
# Makes a Debian package, by cargo-deb, of the program that `cargo build --release` has made or of the one that is named, with
# its manual pages, and completions for bash, zsh and fish: packaging/debian/build.sh [PROGRAM]. The package is written into the
# folder `debian` of the target directory.
set -eu
[ $# = 0 ] || program=$(realpath "$1")
[ -z "${CARGO_TARGET_DIR:-}" ] || CARGO_TARGET_DIR=$(mkdir -p "$CARGO_TARGET_DIR" && cd "$CARGO_TARGET_DIR" && pwd)
cd "$(dirname "$0")/../.."
built="${CARGO_TARGET_DIR:-target}/release/oversell-sim"
if [ -n "${program:-}" ] && [ "$program" != "$(realpath -m "$built")" ]; then
    mkdir -p "$(dirname "$built")"
    cp "$program" "$built"
fi
rm -rf target/packaging
packaging/extras.sh "$built" target/packaging
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
maintainer=$(sed -n 's/^maintainer = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
case $maintainer in *'<'*) ;; *) maintainer="$maintainer <>" ;; esac
# Of the same commit the same package.
seconds=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
cat >target/packaging/changelog <<END
oversell-sim ($version-1) unstable; urgency=medium

  * Version $version: see /usr/share/doc/oversell-sim/changelog.gz.

 -- $maintainer  $(LC_ALL=C date -u -R -d "@$seconds")
END
cargo deb --no-build
