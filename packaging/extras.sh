#!/bin/sh
# Writes what a package has beside the program: packaging/extras.sh PROGRAM FOLDER. Its manual pages go into `man/man1` of the
# folder, and completions for bash, zsh and fish into `completions`.
set -eu
program=$(realpath "$1")
mkdir -p "$2/completions"
"$program" man --all "$2/man/man1" >/dev/null
"$program" completions bash >"$2/completions/oversell-sim.bash"
"$program" completions zsh >"$2/completions/_oversell-sim"
"$program" completions fish >"$2/completions/oversell-sim.fish"
