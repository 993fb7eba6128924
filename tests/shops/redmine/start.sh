#!/bin/sh
cd /usr/share/redmine
exec puma --no-config --environment production --bind "tcp://127.0.0.1:$PORT" --threads 4:4 config.ru
