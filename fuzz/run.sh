#!/bin/sh
# Builds the fuzz targets, and runs each for so many seconds, two at a time: fuzz/run.sh [SECONDS [TARGET…]]
# What is found lies in fuzz/artifacts afterwards. JOBS says how many run at a time, PROFILE how they are compiled, and SEED
# makes up the same inputs each time, as far as the code is the same.
set -eu
cd "$(dirname "$0")"
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- $(cd fuzz_targets && ls | sed 's/\.rs$//')
profile=${PROFILE:-release}
host=$(rustc -vV | sed -n 's/^host: //p')

# Coverage for libFuzzer, as `cargo fuzz --sanitizer none` asks for it: no flag of a nightly toolchain is among these.
coverage='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4'
for part in trace-compares inline-8bit-counters pc-table; do
    coverage="$coverage -Cllvm-args=-sanitizer-coverage-$part"
done
RUSTFLAGS="--cfg fuzzing $coverage" cargo build --locked --profile "$profile" --target "$host"

export RUST_BACKTRACE=1 seconds
export programs="${CARGO_TARGET_DIR:-target}/$host/$profile"
export new=$(mktemp -d)
trap 'rm -r "$new"' EXIT
printf '%s\n' "$@" | xargs -P "${JOBS:-2}" -n 1 sh -c '
    target=$1
    # What the project has of such files anyway.
    case $target in
        app) files="../src/describe/app/starter ../tests/shops" ;;
        checkout) files="../src/describe/checkout/starter ../scenarios/own-checkout ../scenarios/redis-and-sql" ;;
        scenario) files="../scenarios" ;;
        spec) files="../tests/isolation/specs" ;;
        *) files= ;;
    esac
    [ -z "$files" ] || files=$(find $files -name "*.toml" -o -name "*.spec" | paste -sd , -)
    case $target in
        app | checkout | scenario | spec) words=files ;;
        sql) words=sql ;;
        clicks | values) words=values ;;
        *) words= ;;
    esac
    mkdir -p "artifacts/$target" "corpus/$target" "$new/$target"
    if "$programs/$target" -max_total_time="$seconds" ${SEED:+-seed="$SEED"} -timeout=10 -rss_limit_mb=1024 -max_len=4096 \
        -artifact_prefix="artifacts/$target/" ${words:+-dict=dictionaries/$words.dict} \
        ${files:+-seed_inputs="$files"} "$new/$target" "corpus/$target" >"$new/$target.log" 2>&1; then
        rmdir "artifacts/$target" 2>/dev/null || :
        echo "$target: $(grep DONE "$new/$target.log")"
    else
        tail -n 60 "$new/$target.log"
        echo "$target: found something; see fuzz/README.md"
        exit 255
    fi' -
