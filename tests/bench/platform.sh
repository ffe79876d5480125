# shellcheck shell=bash
# A Sluice of one node for measuring, on ports of its own, in a temporary state folder that goes with the script.
# Needs common.sh, process.sh and postgres.sh.

# The first of eight ports; a script may set it before sourcing this.
: "${bench_port:=19100}"
readonly bench_upstream=127.0.0.1:$((bench_port)) bench_admin=127.0.0.1:$((bench_port + 1))
readonly bench_sync=127.0.0.1:$((bench_port + 2)) bench_ops=127.0.0.1:$((bench_port + 3))
readonly bench_http=127.0.0.1:$((bench_port + 4)) bench_https=127.0.0.1:$((bench_port + 5))
readonly bench_node_ops=127.0.0.1:$((bench_port + 6))

# More that services may reach, ADDRESS:PORT each.
bench_egress=()

bench_sluice() { "$programs/sluice" --server "$bench_admin" --token-file "$state/admin-token" "$@"; }

# The same, silent; what it said is shown where it fails.
bench_do() {
  bench_sluice "$@" >"$state/log/client.log" 2>&1 && return
  cat "$state/log/client.log" >&2
  die "sluice $* failed"
}

# bench_up CPUS CPUS: starts everything, the upstream on the first cores and the node on the second, as taskset names
# them.
bench_up() {
  local upstream_cpu=$1 node_cpu=$2
  state=$(mktemp -d /tmp/sluice-bench.XXXXXX)
  chmod 711 "$state"
  trap bench_down EXIT
  trap 'exit 130' INT TERM
  process_init
  postgres_init "$state"
  postgres_start "$state"
  write_private "$state/database" "$(postgres_conninfo)"
  process_ensure upstream "$(command -v taskset)" -c "$upstream_cpu" "$programs/sluice-demo-upstream" \
    --listen "$bench_upstream"
  process_wait upstream 15 curl -fsS "http://$bench_upstream/healthz"
  local allowed=() address
  for address in "$bench_upstream" "${bench_egress[@]}"; do allowed+=(--egress-allow "$address"); done
  process_ensure control-plane "$programs/sluice-control-plane" --database-file "$state/database" --state "$state" \
    --admin "$bench_admin" --sync "$bench_sync" --ops "$bench_ops" "${allowed[@]}"
  process_wait control-plane 60 bench_sluice gateway list
  "$programs/sluice-control-plane" issue --state "$state" --database-file "$state/database" --name gw.localhost \
    --out "$state/edge" >>"$state/log/issue.log" 2>&1
  bench_do node token create --file "$state/join-token"
  install -d -m 700 "$state/last-good"
  bench_node "$node_cpu"
}

# bench_node CPUS [ARGUMENT...]: starts the node and waits until it is ready.
bench_node() {
  local cpus=$1
  shift
  process_ensure node "$(command -v taskset)" -c "$cpus" "$programs/sluice-data-plane" --name node-1 \
    --control-plane "$bench_sync" --join-token-file "$state/join-token" \
    --http "$bench_http" --https "$bench_https" --ops "$bench_node_ops" --tls-cert "$state/edge/cert.pem" \
    --tls-key "$state/edge/key.pem" --state "$state/last-good" --workers 1 --access-log off "$@"
  process_wait node 60 curl -fsS "http://$bench_node_ops/readyz"
}

bench_down() {
  local name
  for name in $(process_names); do process_stop "$name" 40; done
  postgres_stop
  postgres_forget_socket "$state"
  rm -rf "$state"
}

bench_document() {
  printf '_format_version: "3.0"\nservices:\n- name: bench\n  url: http://%s\n  routes:\n' "$bench_upstream"
  printf -- '  - name: %s\n    paths: [/]\n' "$1"
}

# Of numbers, one a line.
median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
percentile() {
  sort -g | awk -v p="$1" '{ v[NR] = $1 } END { i = int(NR * p / 100 + 0.999999); print v[i < 1 ? 1 : i] }'
}
