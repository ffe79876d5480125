# shellcheck shell=bash
# Programs that outlive the script: started in sessions of their own, found again by pid file, stopped politely.
# STATE/run/NAME.pid holds pid, start time and a fingerprint of program and arguments; STATE/log/NAME.log its output.
# Needs common.sh; `state` is set.

process_init() {
  mkdir -p "$state/run" "$state/log"
}

# One deploy/up or deploy/down at a time. Descriptor 9 is closed in everything that is started.
process_lock() {
  exec 9>"$state/run/lock"
  flock -n 9 || {
    say "waiting for another deploy/up or deploy/down of $state"
    flock 9
  }
}

# Ticks since boot at which a process started: a pid alone may have been given to another program since.
process_start_time() {
  local stat fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -r -a fields <<<"${stat##*) }"
  [ "${fields[0]}" != Z ] || return 1
  printf '%s\n' "${fields[19]}"
}

process_running() {
  local pid started
  process_read "$1" || return 1
  [ "$(process_start_time "$pid")" = "$started" ]
}

# Sets the caller's pid, started and print.
process_read() {
  [ -r "$state/run/$1.pid" ] && read -r pid started print <"$state/run/$1.pid" && [ -n "${print+x}" ]
}

process_fingerprint() {
  { sha256sum -- "$1" "${process_inputs[@]}" && printf '%s\n' "$@"; } | sha256sum | cut -c 1-32
}

# process_ensure NAME PROGRAM ARGUMENT...: running, from this program with these arguments; restarted where it differs,
# or where a file in process_inputs does. Sets process_change to started, restarted or kept, and empties process_inputs.
process_inputs=()
# shellcheck disable=SC2034
process_ensure() {
  local name=$1 wanted pid started print
  shift
  wanted=$(process_fingerprint "$@")
  process_inputs=()
  process_change=started
  if process_running "$name"; then
    process_read "$name"
    if [ "$print" = "$wanted" ]; then
      process_change=kept
      return
    fi
    process_change=restarted
    process_stop "$name" 40
  fi
  printf -- '--- %s: %s\n' "$(date -u +%FT%TZ)" "$*" >>"$state/log/$name.log"
  setsid "$@" >>"$state/log/$name.log" 2>&1 </dev/null 9>&- &
  pid=$!
  disown "$pid"
  started=$(process_start_time "$pid") || started=0
  printf '%s %s %s\n' "$pid" "$started" "$wanted" >"$state/run/$name.pid"
}

# process_wait NAME SECONDS COMMAND...: until the command succeeds; dies with the log's end when the process or time
# does.
process_wait() {
  local name=$1 seconds=$2 deadline=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    process_running "$name" || process_failed "$name" "ended before it was ready"
    [ "$SECONDS" -lt "$deadline" ] || process_failed "$name" "was not ready after $seconds s"
    sleep 0.1
  done
}

process_failed() {
  tail -n 15 "$state/log/$1.log" >&2
  die "$1 $2; its log: $state/log/$1.log"
}

# process_stop NAME SECONDS: SIGTERM, then SIGKILL when the time is up.
process_stop() {
  local name=$1 deadline=$((SECONDS + $2)) pid started print
  if process_running "$name"; then
    process_read "$name"
    kill -TERM "$pid" 2>/dev/null || true
    while process_running "$name"; do
      if [ "$SECONDS" -ge "$deadline" ]; then
        warn "$name did not stop within $2 s; killed"
        kill -KILL "$pid" 2>/dev/null || true
        deadline=$((SECONDS + 5))
      fi
      sleep 0.1
    done
  fi
  rm -f "$state/run/$name.pid"
}

# Names of everything that has a pid file.
process_names() {
  local file
  for file in "$state"/run/*.pid; do
    [ -e "$file" ] && basename "$file" .pid
  done
  return 0
}

# port_free NAME PORT: dies, naming who has it, unless the port is free or NAME itself has it.
port_free() {
  local name=$1 port=$2 pid started print line
  line=$(ss -Hltnp "sport = :$port" | head -n 1)
  [ -n "$line" ] || return 0
  if process_running "$name"; then
    process_read "$name"
    [[ $line != *"pid=$pid,"* ]] || return 0
  fi
  if [[ $line =~ \(\"([^\"]*)\",pid=([0-9]+) ]]; then
    die "port $port, which $name needs, is taken by ${BASH_REMATCH[1]} (process ${BASH_REMATCH[2]})" \
      "stop that process, or run deploy/down where it belongs to another state folder"
  fi
  die "port $port, which $name needs, is taken by a process of another user"
}
