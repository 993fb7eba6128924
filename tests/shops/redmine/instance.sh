#!/bin/sh
# Makes an instance of Debian's Redmine called "last", as its README.Debian describes: its folders, its secret, and where its
# database is, which DATABASE_URL says when it runs.
set -e
root=/var/lib/redmine/last
mkdir -p "$root/config" "$root/files" "$root/log" "$root/tmp" "$root/public/plugin_assets"
echo "a secret that is not a secret, of sixty-four letters or more, as Rails wants it" > "$root/config/secret_key.txt"
printf 'production:\n  adapter: postgresql\n' > "$root/config/database.yml"
