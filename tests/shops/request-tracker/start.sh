#!/bin/sh
# RT's own web server, with as many processes as it has by default.
export RT_SITE_CONFIG_DIR="$PWD/config"
exec /usr/share/request-tracker5/libexec/rt-server --host 127.0.0.1 --port "$PORT"
