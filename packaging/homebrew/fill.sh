#!/bin/sh
# Writes the formula for archives that are there: packaging/homebrew/fill.sh OWNER/NAME VERSION FOLDER >oversell-sim.rb
set -eu
repository=$1 version=$2 folder=$3
formula=$(cat "$(dirname "$0")/oversell-sim.rb.in")
for target in aarch64-apple-darwin x86_64-apple-darwin aarch64-unknown-linux-gnu x86_64-unknown-linux-gnu; do
    archive="$folder/oversell-sim-$version-$target.tar.gz"
    [ -f "$archive" ] || { echo "there is no $archive" >&2; exit 1; }
    sum=$(sha256sum "$archive" | cut -d ' ' -f 1)
    formula=$(printf '%s\n' "$formula" | sed "s/@SHA256_$target@/$sum/")
done
printf '%s\n' "$formula" | sed "s,@REPOSITORY@,$repository,g; s/@VERSION@/$version/g"
