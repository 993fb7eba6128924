# Ends private servers and removes their directory, as soon as the process that started them closes the pipe, by
# whatever way it ends.
#
# $1  the directory
# $2  the signal that ends a server
# $3  the servers' own directory inside it
# $4  the user that they run as, by number, if that is not ours
# Standard input: the process ids of all that runs by now, separated by spaces, a line each time. One with a
# minus before it is the group of a program that sets a server up: it ends by itself, and is given the time. One
# with a plus is the group of a program that has others do its work: the signal is for all of them. A word that
# begins with @ is in the environment of a user's programs and of all that they start: one that has left its group, by
# `setsid`, is known by it. That needs /proc.
trap '' INT TERM HUP QUIT
cd / || exit
pids=
while read -r line; do pids=$line; done
for pid in $pids; do
    case $pid in
    -* | @*) ;;
    +*)
        kill -s CONT -- "-${pid#+}" 2>/dev/null
        kill -s "$2" -- "-${pid#+}" 2>/dev/null
        ;;
    *)
        # One that was stopped does not see any other signal.
        kill -s CONT "$pid" 2>/dev/null
        kill -s "$2" "$pid" 2>/dev/null
        ;;
    esac
done
tries=0
for pid in $pids; do
    case $pid in
    @*) continue ;;
    +*) pid=-${pid#+} ;;
    esac
    while kill -s 0 -- "$pid" 2>/dev/null && [ "$tries" -lt 200 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    kill -s KILL -- "$pid" 2>/dev/null
done
# Those that have left their group; and once more, as long as they start others.
for mark in $pids; do
    case $mark in @*) mark=OVERSELL_SIM_MARK=${mark#@} ;; *) continue ;; esac
    for signal in "$2" KILL KILL KILL KILL; do
        tries=0
        asked=
        # Of the exit code nothing follows: some process has always just ended.
        while found=$(grep -lF -- "$mark" /proc/[0-9]*/environ 2>/dev/null)
            [ -n "$found" ] && [ "$tries" -lt 40 ]; do
            for entry in $found; do
                pid=${entry#/proc/}
                pid=${pid%/environ}
                case " $asked " in *" $pid "*) continue ;; esac
                asked="$asked $pid"
                kill -s CONT "$pid" 2>/dev/null
                kill -s "$signal" "$pid" 2>/dev/null
            done
            sleep 0.05
            tries=$((tries + 1))
        done
        [ -n "$found" ] || break
    done
done
# A PostgreSQL server that was killed leaves a little shared memory behind; its number is in its pid file. The file is
# written by the user that the server runs as, so where we are root only memory of that user is given back.
pid_file=$1/$3/data/postmaster.pid
if [ -f "$pid_file" ] && [ ! -L "$pid_file" ]; then
    segment=$(sed -n '7s/.* //p' "$pid_file")
    case $segment in
    '' | *[!0-9]*) ;;
    *)
        if [ -z "$4" ] || ipcs -m -i "$segment" 2>/dev/null | grep -q "^uid=$4[^0-9]"; then
            ipcrm -m "$segment" 2>/dev/null
        fi
        ;;
    esac
fi
rm -rf "$1"
