#!/bin/sh
# PHP's own web server, which serves as many requests at once as it has workers.
exec env PHP_CLI_SERVER_WORKERS=4 php -S "127.0.0.1:$PORT" -t /usr/share/wordpress
