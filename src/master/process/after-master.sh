#!/bin/sh
# Looks after the workers of a killed master. A Node.js worker notices that its master is gone, and drains. Any other program notices nothing: this script
# tells it. And it kills what does not end, for example an endless loop, which would keep the port forever. A master starts this script once, in a session
# of its own, and writes a line to it whenever a worker starts (+ PID START SECONDS PIPES AFTER SIGNAL SERVER) or ends (- PID); another line for the same PID
# replaces the first. After an orderly stop no worker is left when the lines end, and so does the script.
#
# START is the start time of the process in /proc/PID/stat, proc_pid_stat(5): a process of another start time only has the same number.
# SECONDS is how long the worker may live without its master: the time that it goes on serving, its drain timeout, and what a master would add before it
# kills. PIPES says which output of the worker is a pipe that the master read: 1 (stdout), 2 (stderr), 12 (both) or 0 (none). SIGNAL is the drain signal of the
# program, which the script sends AFTER seconds after the death of the master. AFTER and SIGNAL are missing if the script is to send none. SERVER, if it is
# there, says that the worker serves an address.
#
# SIGUSR1 comes from the next master, which has taken the sockets over, and tells the servers itself. Most programs stop immediately if they are told twice,
# and cut their requests. SIGUSR2 comes from it if it ends before a generation of its own has served: then the script tells the servers after all.
#
# For each worker it starts `cat` once or twice, and otherwise only `sleep`: there may be hundreds of workers, and they need the time to drain.

workers=''
is_relieved=''
relieved_at=0

# Takes the fields of one of the workers apart.
split() {
  IFS=:
  set -- $1
  unset IFS
  pid=$1 start=$2 seconds=$3 pipes=$4 after=$5 signal=$6 server=$7
}

forget() {
  left=''
  for one in $workers; do
    [ "${one%%:*}" = "$1" ] || left="$left $one"
  done
  workers=$left
}

# Is there a process $1 that was started at $2?
is_running() {
  wanted=$2
  stat=''
  # The second field is a name that may contain anything: spaces, brackets and ends of lines, too.
  while read -r line; do stat="$stat $line"; done <"/proc/$1/stat" || return 1
  set -- ${stat##*) }
  [ "$1" != Z ] && [ "${20}" = "$wanted" ]
}

# Reads what the workers write, and throws it away. Writing to a pipe that nobody reads would end many a program, or fail its requests.
read_on() {
  for one in $workers; do
    split "$one"
    is_running "$pid" "$start" || continue
    for pipe in 1 2; do
      case $pipes in *$pipe*) cat "/proc/$pid/fd/$pipe" >/dev/null & ;; esac
    done
  done
}

# $1: the seconds since the master died. Sends the drain signal to workers whose AFTER has passed, kills those whose SECONDS have passed, and removes those
# that have ended from the list.
look() {
  left=''
  for one in $workers; do
    split "$one"
    is_running "$pid" "$start" || continue
    # SECONDS begin again when the next master takes the sockets over.
    if [ "$1" -ge "$((seconds + relieved_at))" ]; then
      # Its whole process group, if it leads one.
      kill -KILL "-$pid" || kill -KILL "$pid"
      continue
    fi
    if [ -n "$signal" ] && [ "$1" -ge "$after" ] && { [ -z "$is_relieved" ] || [ -z "$server" ]; }; then
      kill "-$signal" "$pid"
      signal=''
    fi
    left="$left $pid:$start:$seconds:$pipes:$after:$signal:$server"
  done
  workers=$left
}

main() {
  # What is sent to all processes that a master has started (systemd, pm2) is not meant for this one, which ends after them.
  trap '' HUP INT TERM USR1 USR2
  while read -r what pid start seconds pipes after signal server; do
    forget "$pid"
    if [ "$what" = + ]; then workers="$workers $pid:$start:$seconds:$pipes:$after:$signal:$server"; fi
  done
  waited=0
  trap 'is_relieved=yes relieved_at=$waited' USR1
  trap "is_relieved=''" USR2
  read_on
  look "$waited"
  while [ -n "$workers" ]; do
    # Without a `sleep` no time would pass. (Above 128 it was killed.)
    sleep 1 || [ "$?" -gt 128 ] || return
    waited=$((waited + 1))
    look "$waited"
  done
}

# One line, so that a shell has read all of this file before it begins: an update of the package may replace it.
main; exit
