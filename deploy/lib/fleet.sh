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

# With the nodes' certificate there already: the control plane starts them as soon as it can.
fleet_control_plane() {
  fleet_edge
  fleet_before
  process_ensure control-plane "$programs/sluice-control-plane" \
    --database-file "$state/database" --state "$state" --egress-allow "$upstream_address" \
    --admin "$admin_address" --sync "$sync_address" --ops "$control_plane_ops" \
    --protect "$admin_address" --protect "$sync_address" --protect "$control_plane_ops" \
    --provisioner process --nodes "$nodes" --node-program "$programs/sluice-data-plane" \
    --node-ports "$(node_http 1),$(node_https 1),$(node_ops 1)" --node-watch "$state/edge/cert.pem" \
    "--node-argument=--tls-cert=$state/edge/cert.pem" "--node-argument=--tls-key=$state/edge/key.pem"
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

fleet_certificate_good() {
  local cert=$1/cert.pem from until
  [ -s "$cert" ] && [ -s "$1/key.pem" ] && [ -s "$1/ca.pem" ] || return 1
  cmp -s "$1/ca.pem" "$state/ca.pem" || return 1
  openssl verify -CAfile "$state/ca.pem" "$cert" >/dev/null 2>&1 || return 1
  from=$(date -d "$(openssl x509 -noout -startdate -in "$cert" | cut -d= -f2)" +%s)
  until=$(date -d "$(openssl x509 -noout -enddate -in "$cert" | cut -d= -f2)" +%s)
  [ $((until - $(date +%s))) -gt $(((until - from) / 3)) ]
}

# What runs before anything is changed, to be able to say what became of it.
declare -A fleet_ran=()
fleet_before() {
  local name
  fleet_ran=()
  for name in $(process_names); do
    if process_running "$name"; then fleet_ran[$name]=$(<"$state/run/$name.pid"); fi
  done
}

# fleet_metric NAME: what the control plane's provisioner counts; nothing where it does not answer.
fleet_metric() {
  curl -fsS --max-time 5 "http://$control_plane_ops/metrics" 2>/dev/null |
    awk -v name="sluice_provisioner_$1" '$1 == name { print $2 }' || true
}

# fleet_settled TURNS: every node is there, ready and up to date, as the provisioner saw after that many turns.
fleet_settled() {
  local turns
  turns=$(fleet_metric turns_total)
  [ "${turns:-0}" -ge "$1" ] && [ "$(fleet_metric wanted_nodes)" = "$nodes" ] && [ "$(fleet_metric pending_nodes)" = 0 ]
}

# The control plane starts, replaces and stops nodes; this waits until it has, and tells what it did.
fleet_nodes() {
  local k name change turns restarts deadline=$((SECONDS + 60 + 50 * nodes))
  turns=$(fleet_metric turns_total) restarts=$(fleet_metric restarts_total)
  until fleet_settled $((${turns:-0} + 2)); do
    process_running control-plane || process_failed control-plane "ended before the nodes were ready"
    [ "$(fleet_metric restarts_total)" -le $((${restarts:-0} + 2)) ] 2>/dev/null || fleet_failed "end again and again"
    [ "$SECONDS" -lt "$deadline" ] || fleet_failed "are not ready"
    sleep 0.2
  done
  for k in $(seq "$nodes"); do
    name=node-$k change=started
    if [ -n "${fleet_ran[$name]:-}" ]; then
      change=restarted
      [ "${fleet_ran[$name]}" != "$(<"$state/run/$name.pid")" ] || change=kept
    fi
    say "$name $change on ports $(node_http "$k"), $(node_https "$k") and $(node_ops "$k")"
  done
}

fleet_failed() {
  local k
  for k in $(seq "$nodes"); do tail -n 5 "$state/log/node-$k.log" >&2 || true; done
  grep '"level":"error"' "$state/log/control-plane.log" | tail -n 5 >&2 || true
  die "the nodes $1; their logs, and the control plane's, are in $state/log"
}

# fleet_hold: until this script ends the control plane starts and stops no node. It never holds this for long itself.
fleet_hold() {
  exec 8>"$state/run/provisioner.lock"
  flock -w 30 8 || die "another process holds $state/run/provisioner.lock" "find it with fuser, and stop it"
}

# Nodes first, so that nothing they could be told comes from a control plane that is leaving; the database is not here.
fleet_stop() {
  local name
  fleet_hold
  for name in $(process_names | sort -r); do
    [[ $name == node-* ]] || continue
    process_stop "$name" 45 && say "$name stopped"
  done
  for name in control-plane demo-upstream; do
    if [ -e "$state/run/$name.pid" ]; then process_stop "$name" 20 && say "$name stopped"; fi
  done
}
