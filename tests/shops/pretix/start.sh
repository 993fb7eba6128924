#!/bin/sh
# The web server; and cron, which runs the periodic tasks as pretix's documentation says, only more often.
(while sleep 5; do python3 -m pretix runperiodic; done) &
exec gunicorn pretix.wsgi --bind "127.0.0.1:$PORT" --workers 1 --threads 4 --timeout 600
