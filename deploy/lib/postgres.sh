# shellcheck shell=bash
# A private PostgreSQL cluster in STATE/postgres: a Unix socket, no TCP, data on disk before a commit is answered.
# PostgreSQL refuses to run as root, so root runs it as the user `postgres`. Needs common.sh and process.sh.

postgres_init() {
  local state=$1
  pg_data=$state/postgres/data
  pg_log=$state/log/postgres.log
  pg_bin=$(postgres_programs "$pg_data") || die "no PostgreSQL server programs below /usr/lib/postgresql" \
    "install the package postgresql, or name a database with --database URL"
  pg_user=
  pg_caps=()
  if is_root; then
    pg_user=postgres
    id -u "$pg_user" >/dev/null 2>&1 || die "the user postgres does not exist; is the package postgresql installed?"
  fi
  mkdir -p "$state/log" "$state/postgres"
  [ -z "$pg_user" ] || chown "$pg_user" "$state/postgres"
  chmod 700 "$state/postgres"
  postgres_find_way "$state/postgres"
  pg_socket=$(postgres_socket_folder "$state")
}

# Those of the version that made the data; the newest for a new cluster.
postgres_programs() {
  local data=$1 version
  if [ -r "$data/PG_VERSION" ]; then
    version=$(<"$data/PG_VERSION")
  else
    version=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -name initdb 2>/dev/null |
      cut -d/ -f5 | sort -V | tail -n 1)
  fi
  [ -n "$version" ] && [ -x "/usr/lib/postgresql/$version/bin/initdb" ] || return 1
  printf '%s\n' "/usr/lib/postgresql/$version/bin"
}

# The state folder may lie below one that the user cannot enter (/root). Then PostgreSQL gets the one capability that
# lets it walk there (seen by really going, as access(2) does not count capabilities); where the machine does not allow
# that either, say what to do.
postgres_find_way() {
  local folder=$1 capability
  [ -n "$pg_user" ] || return 0
  as_postgres ls -d "$folder/." >/dev/null 2>&1 && return
  for capability in dac_read_search dac_override; do
    pg_caps=(--inh-caps "+$capability" --ambient-caps "+$capability")
    as_postgres ls -d "$folder/." >/dev/null 2>&1 && return
  done
  pg_caps=()
  die "the user $pg_user, which PostgreSQL runs as, cannot enter $folder" \
    "choose a state folder it can reach, for example --state /var/lib/sluice," \
    "or let others pass the folders above it (chmod o+x), or name a database with --database URL"
}

as_postgres() {
  if [ -n "$pg_user" ]; then
    (cd / && setpriv --reuid "$pg_user" --regid "$pg_user" --init-groups "${pg_caps[@]}" -- "$@")
  else
    (cd / && "$@")
  fi
}

# A socket's whole path may have 107 bytes; a state folder deeper than that has its socket in a short place.
postgres_socket_folder() {
  local state=$1 folder=$1/postgres/socket
  if [ ${#folder} -gt $((107 - ${#pg_socket_name})) ]; then
    folder=/tmp/sluice-$(printf '%s' "$state" | sha256sum | cut -c 1-16)
    [ ! -d /run ] || [ ! -w /run ] || folder=/run/${folder#/tmp/}
  fi
  printf '%s\n' "$folder"
}
readonly pg_socket_name=/.s.PGSQL.5432

postgres_running() { as_postgres "$pg_bin/pg_ctl" -D "$pg_data" status >/dev/null 2>&1; }

postgres_create() {
  local staging=$pg_data.new
  as_postgres rm -rf "$staging"
  as_postgres "$pg_bin/initdb" -D "$staging" --username=postgres --auth=peer --encoding=UTF8 --locale=C.UTF-8 \
    --data-checksums >"$1/log/initdb.log" 2>&1 || {
    tail -n 20 "$1/log/initdb.log" >&2
    die "PostgreSQL could not create a cluster in $staging"
  }
  as_postgres tee -a "$staging/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 50
shared_buffers = 64MB
CONF
  # The owner of the state folder, and nobody else, is let in.
  as_postgres tee "$staging/pg_hba.conf" >/dev/null <<<'local all all peer map=owner'
  printf 'owner %s %s\n' "$(id -un)" sluice "$(id -un)" postgres postgres postgres |
    as_postgres tee "$staging/pg_ident.conf" >/dev/null
  as_postgres mv "$staging" "$pg_data"
}

postgres_prepare_socket() {
  local owner
  [ -e "$pg_socket" ] || install -d -m 700 ${pg_user:+-o "$pg_user"} "$pg_socket"
  owner=$(stat -c %U "$pg_socket")
  if [ -L "$pg_socket" ] || [ "$owner" != "${pg_user:-$(id -un)}" ]; then
    die "$pg_socket belongs to $owner" "remove it, or choose a shorter --state"
  fi
}

# postgres_start STATE: creates the cluster where there is none, starts it where it does not run, makes role and
# database.
postgres_start() {
  local state=$1
  [ -e "$pg_data/PG_VERSION" ] || postgres_create "$state"
  if ! postgres_running; then
    postgres_prepare_socket
    touch "$pg_log"
    [ -z "$pg_user" ] || chown "$pg_user" "$pg_log"
    as_postgres env LC_ALL=C.UTF-8 "$pg_bin/pg_ctl" -D "$pg_data" -l "$pg_log" -w -t 60 \
      -o "-c unix_socket_directories='$pg_socket'" start >/dev/null 9>&- || {
      tail -n 20 "$pg_log" >&2
      die "PostgreSQL did not start; its log: $pg_log"
    }
  fi
  postgres_sql postgres "select 1 from pg_roles where rolname = 'sluice'" | grep -q 1 ||
    postgres_sql postgres "create role sluice login"
  postgres_sql postgres "select 1 from pg_database where datname = 'sluice'" | grep -q 1 ||
    postgres_sql postgres "create database sluice owner sluice"
}

# Where a short place had to be found for the socket, it goes with the data.
postgres_forget_socket() {
  local folder
  folder=$(postgres_socket_folder "$1")
  [[ $folder == "$1"/* ]] || rm -rf "$folder"
}

postgres_sql() {
  as_postgres "$pg_bin/psql" -X -q -At -v ON_ERROR_STOP=1 -h "$pg_socket" -U postgres -d "$1" -c "$2"
}

postgres_stop() {
  postgres_running || return 0
  as_postgres "$pg_bin/pg_ctl" -D "$pg_data" -m fast -w -t 60 stop >/dev/null
}

# What the control plane connects with.
postgres_conninfo() { printf 'host=%s user=sluice dbname=sluice\n' "$pg_socket"; }
