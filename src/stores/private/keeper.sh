# Ends a private server and removes its directory, as soon as whoever started it closes the pipe, by
# whatever way it ends.
#
# $1  the directory
# $2  the signal that ends the server
# Standard input: the process id of the server that runs by now, a line each time.
trap '' INT TERM HUP QUIT
cd / || exit
pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
    kill -s CONT "$pid" 2>/dev/null
    kill -s "$2" "$pid" 2>/dev/null
    tries=0
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 200 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    kill -s KILL "$pid" 2>/dev/null
fi
rm -rf "$1"
