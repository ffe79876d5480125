# shellcheck shell=bash
# Words shared by every script: progress, errors, privileges. Sourced after `set -euo pipefail`; sets `repo`.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly repo
# shellcheck disable=SC2034
readonly programs=$repo/build/release/bin
step_number=0

say() { printf '    %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  shift
  [ $# -eq 0 ] || printf '    %s\n' "$@" >&2
  exit 1
}

# A numbered line before each step, with the seconds since the script began.
step() {
  step_number=$((step_number + 1))
  printf '[%4ds] %d. %s\n' "$SECONDS" "$step_number" "$*"
}

have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" -eq 0 ]; }

as_root() {
  if is_root; then
    "$@"
  elif have sudo; then
    sudo -- "$@"
  else
    die "this needs root: $*" "run the script as root, or install sudo"
  fi
}

# Runs a command quietly with a line every 15 s; shows the end of its output, and dies, when it fails.
quietly() {
  local what=$1 log=$2 pid started=$SECONDS
  shift 2
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  trap 'kill "$pid" 2>/dev/null; exit 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if [ $(((SECONDS - started) % 15)) -eq 0 ] && [ "$SECONDS" -gt "$started" ]; then
      say "$what: $((SECONDS - started)) s ... $(last_words "$log")"
      sleep 1
    fi
  done
  trap - INT TERM
  if ! wait "$pid"; then
    tail -n 40 "$log" >&2
    die "$what failed; its whole output: $log"
  fi
}

last_words() {
  tail -c 300 "$1" 2>/dev/null | tr '\r' '\n' | grep -v '^[[:space:]]*$' | tail -n 1 | cut -c 1-90 || true
}

# until_true SECONDS COMMAND...: succeeds as soon as the command does.
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

# Where state is kept, absolute. The path appears in connection strings and configuration files, so it stays simple.
state_folder() {
  local folder
  folder=$(realpath -m -- "$1")
  [[ $folder =~ ^/[A-Za-z0-9/._+@-]+$ ]] ||
    die "a state folder's path has only letters, digits and / . _ + @ -: $folder"
  printf '%s\n' "$folder"
}

# write_private FILE TEXT: readable by its owner alone, whole or not at all.
write_private() {
  (umask 077 && printf '%s\n' "$2" >"$1.new" && mv "$1.new" "$1")
}
