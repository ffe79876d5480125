# shellcheck shell=bash
# The programs of one machine: demo upstream, control plane, nodes; their ports, certificates and readiness.
# Needs common.sh and process.sh; `state` is set.

nodes=2 # unless the script says otherwise
readonly upstream_address=127.0.0.1:9000
readonly admin_address=127.0.0.1:7001 sync_address=127.0.0.1:7002 control_plane_ops=127.0.0.1:7003

node_http() { echo $((8000 + 10 * ($1 - 1))); }
node_https() { echo $((8443 + 10 * ($1 - 1))); }
node_ops() { echo $((8100 + 10 * ($1 - 1))); }

# The client with this state folder's server and token; SLUICE_TOKEN where the token's file is elsewhere.
sluice() {
  local token=()
  [ ! -r "$state/admin-token" ] || token=(--token-file "$state/admin-token")
  "$programs/sluice" --server "$admin_address" "${token[@]}" "$@"
}

fleet_check_ports() {
  local k
  port_free demo-upstream "${upstream_address##*:}"
  port_free control-plane "${admin_address##*:}"
  port_free control-plane "${sync_address##*:}"
  port_free control-plane "${control_plane_ops##*:}"
  for k in $(seq "$nodes"); do
    port_free "node-$k" "$(node_http "$k")"
    port_free "node-$k" "$(node_https "$k")"
    port_free "node-$k" "$(node_ops "$k")"
  done
}

fleet_upstream() {
  process_ensure demo-upstream "$programs/sluice-demo-upstream" --listen "$upstream_address"
  process_wait demo-upstream 15 curl -fsS "http://$upstream_address/healthz"
  say "demo upstream $process_change on $upstream_address"
}

fleet_control_plane() {
  local k arguments=(
    --database-file "$state/database" --state "$state" --egress-allow "$upstream_address"
    --admin "$admin_address" --sync "$sync_address" --ops "$control_plane_ops"
    --protect "$admin_address" --protect "$sync_address" --protect "$control_plane_ops"
  )
  for k in $(seq "$nodes"); do arguments+=(--protect "127.0.0.1:$(node_ops "$k")"); done
  process_ensure control-plane "$programs/sluice-control-plane" "${arguments[@]}"
  process_wait control-plane 60 sluice gateway list
  say "control plane $process_change on $admin_address"
}

# fleet_edge: the certificate of the nodes' HTTPS ports, issued where there is none, it is no longer ours, or two thirds
# of its life are over.
fleet_edge() {
  local folder=$state/edge
  fleet_certificate_good "$folder" && return
  "$programs/sluice-control-plane" issue --state "$state" --database-file "$state/database" --name gw.localhost \
    --out "$folder" >"$state/log/issue.log" 2>&1 || {
    tail -n 5 "$state/log/issue.log" >&2
    die "no certificate for gw.localhost"
  }
}

# fleet_token NAME FOLDER: a join token for a node that has not joined this control plane's fleet, or whose certificate
# has expired. One that lost its disk has left its name taken: nobody else is meant by it.
fleet_token() {
  local name=$1 own=$2 node=$2/state/identity/node.pem
  if openssl x509 -in "$node" 2>/dev/null | openssl verify -CAfile "$state/ca.pem" >/dev/null 2>&1; then return; fi
  [ -e "$node" ] || sluice node revoke "$name" >/dev/null 2>&1 || true
  rm -f "$own/join-token"
  sluice -q node token create --file "$own/join-token" 2>"$state/log/token.log" || {
    cat "$state/log/token.log" >&2
    die "no join token for $name"
  }
}

fleet_certificate_good() {
  local cert=$1/cert.pem from until
  [ -s "$cert" ] && [ -s "$1/key.pem" ] && [ -s "$1/ca.pem" ] || return 1
  cmp -s "$1/ca.pem" "$state/ca.pem" || return 1
  openssl verify -CAfile "$state/ca.pem" "$cert" >/dev/null 2>&1 || return 1
  from=$(date -d "$(openssl x509 -noout -startdate -in "$cert" | cut -d= -f2)" +%s)
  until=$(date -d "$(openssl x509 -noout -enddate -in "$cert" | cut -d= -f2)" +%s)
  [ $((until - $(date +%s))) -gt $(((until - from) / 3)) ]
}

fleet_node() {
  local k=$1 name=node-$1 own=$state/node-$1
  install -d -m 700 "$own" "$own/state"
  fleet_token "$name" "$own"
  process_inputs=("$state/edge/cert.pem")
  process_ensure "$name" "$programs/sluice-data-plane" --name "$name" --control-plane "$sync_address" \
    --join-token-file "$own/join-token" \
    --http "0.0.0.0:$(node_http "$k")" --https "0.0.0.0:$(node_https "$k")" --ops "127.0.0.1:$(node_ops "$k")" \
    --tls-cert "$state/edge/cert.pem" --tls-key "$state/edge/key.pem" --state "$own/state" \
    --access-log "$state/log/$name.access.log"
  process_wait "$name" 60 curl -fsS "http://127.0.0.1:$(node_ops "$k")/readyz"
  say "$name $process_change on ports $(node_http "$k"), $(node_https "$k") and $(node_ops "$k")"
}

fleet_nodes() {
  local k name
  fleet_edge
  for name in $(process_names); do
    [[ $name == node-* ]] || continue
    [ "${name#node-}" -le "$nodes" ] || { process_stop "$name" 45 && say "$name stopped"; }
  done
  for k in $(seq "$nodes"); do fleet_node "$k"; done
}

# Nodes first, so that nothing they could be told comes from a control plane that is leaving; the database is not here.
fleet_stop() {
  local name
  for name in $(process_names | sort -r); do
    [[ $name == node-* ]] || continue
    process_stop "$name" 45 && say "$name stopped"
  done
  for name in control-plane demo-upstream; do
    if [ -e "$state/run/$name.pid" ]; then process_stop "$name" 20 && say "$name stopped"; fi
  done
}
