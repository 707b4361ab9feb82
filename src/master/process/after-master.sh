#!/bin/sh
# Kills workers that outlive a killed master. A worker notices that its master is gone, and drains; one in an endless loop notices nothing
# and would keep the port for ever. A master starts this script once, in a session of its own, and writes a line to it whenever a worker
# starts (+ PID START SECONDS) or ends (- PID). After an orderly stop no worker is left when the lines end, and so does the script.
#
# START is the start time of the process in /proc/PID/stat, proc_pid_stat(5): a process of another start time only has the same number.
# SECONDS is how long the worker may live without its master: its drain timeout, and what a master would add before it kills.

workers=''

forget() {
  left=''
  for one in $workers; do
    [ "${one%%:*}" = "$1" ] || left="$left $one"
  done
  workers=$left
}

start_of() {
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # The second field is a name that may contain anything, spaces and brackets too.
  set -- ${stat##*) }
  echo "${20}"
}

# Waits until the process has ended, for at most so many seconds, and kills it then.
end_within() {
  waited=0
  while [ "$(start_of "$1")" = "$2" ]; do
    if [ "$waited" -ge "$3" ]; then
      # Its whole process group, if it leads one.
      kill -KILL "-$1" 2>/dev/null || kill -KILL "$1" 2>/dev/null
      return
    fi
    sleep 1
    waited=$((waited + 1))
  done
}

main() {
  while read -r what pid start seconds; do
    forget "$pid"
    if [ "$what" = + ]; then workers="$workers $pid:$start:$seconds"; fi
  done
  for one in $workers; do
    pid=${one%%:*}
    times=${one#*:}
    end_within "$pid" "${times%%:*}" "${times#*:}" &
  done
  wait
}

# One line, so that a shell has read all of this file before it begins: an update of the package may replace it.
main; exit
