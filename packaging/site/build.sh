#!/bin/sh
# Makes a site of docs/, with search, by mdBook: packaging/site/build.sh FOLDER. REPOSITORY may name the address at which
# files outside of docs/ are, such as https://example.org/oversell-sim/blob/main; without it, links to them are left out.
set -eu
folder=$(mkdir -p "${1:?where is the site to be written?}" && cd "$1" && pwd)
cd "$(dirname "$0")/../.."
book=$(mktemp -d)
trap 'rm -r "$book"' EXIT
cp packaging/site/book.toml "$book"
cp -r docs "$book/src"
# mdBook names the page of a folder so, but not the links to it.
find "$book/src" -name README.md | while IFS= read -r page; do mv "$page" "${page%README.md}index.md"; done
find "$book/src" -name '*.md' -exec sed -i 's,](\([a-z/-]*\)README\.md,](\1index.md,g' {} +

# The chapters stand in the index, in its order; each goes by the title of its page.
{
    echo '[Documentation](index.md)'
    sed -n 's/^| \(.*\) |$/\1/p' "$book/src/index.md" | while IFS= read -r row; do
        case $row in
        '**'*) echo && echo "# $row" | sed 's/\*\*//g; s/ |.*//' && echo ;;
        '['*)
            page=$(echo "$row" | sed 's/^\[[^]]*\](\([^)]*\)).*/\1/')
            echo "- [$(sed -n 's/^# //p' "$book/src/$page" | head -n 1)]($page)"
            ;;
        esac
    done
} >"$book/src/SUMMARY.md"
for page in $(cd "$book/src" && find . -name '*.md' ! -name SUMMARY.md | sed 's,^\./,,'); do
    grep -q "($page)" "$book/src/SUMMARY.md" || { echo "docs/README.md does not list $page" >&2; exit 1; }
done

# What lies outside of docs/ is no page of the site.
find "$book/src" -name '*.md' | while IFS= read -r page; do
    if [ -n "${REPOSITORY:-}" ]; then
        sed -z -i "s,](\(\.\./\)\{1\,2\}\(README\.md\|tests\|scenarios\)\([^)]*\)),]($REPOSITORY/\2\3),g" "$page"
    else
        sed -z -i 's,\[\([^]]*\)\](\.\./\.\./[^)]*),\1,g' "$page"
    fi
done
mdbook build --dest-dir "$folder" "$book"
