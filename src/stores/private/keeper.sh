# Ends private servers and removes their directory, as soon as whoever started them closes the pipe, by
# whatever way it ends.
#
# $1  the directory
# $2  the signal that ends a server
# Standard input: the process ids of all servers that run by now, separated by spaces, a line each time.
trap '' INT TERM HUP QUIT
cd / || exit
pids=
while read -r line; do pids=$line; done
for pid in $pids; do
    # One that was stopped does not see any other signal.
    kill -s CONT "$pid" 2>/dev/null
    kill -s "$2" "$pid" 2>/dev/null
done
tries=0
for pid in $pids; do
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 200 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    kill -s KILL "$pid" 2>/dev/null
done
rm -rf "$1"
