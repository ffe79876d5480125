"""The proxies that are compared: how each is told to do the same work, started, and found by the kernel's books.

The work: requests of 10,000 hosts go to one upstream over kept connections; a limit per host; bodies of at most 10 MB;
X-Forwarded-For, -Proto, -Host, -Port, -Path, X-Real-IP, Via and a request id to the upstream; Via, a request id and
two latencies to the client; no access log; one worker; streams, not buffers, for bodies.
"""

import json
import os
import shutil
import subprocess
import time
import urllib.request

LIMIT = 200_000  # requests a second of one host
MAX_BODY = 10 * 1024 * 1024
WIDE = "wide.gw.localhost"  # the host of loads that name one host only


class Contender:
    def __init__(self, name, http, https, command, config=None):
        self.name, self.http, self.https = name, http, https
        self.command, self.config = command, config
        self.process = None

    def start(self, options):
        """Starts it pinned to the core under test, and waits until it proxies."""
        for path, text in (self.config or {}).items():
            with open(path, "w") as out:
                out.write(text)
        log = open(f"{options.state}/log/{self.name}.log", "w")
        self.process = subprocess.Popen(["taskset", "-c", str(options.core), *self.command], stdin=subprocess.DEVNULL,
                                        stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while True:
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended: {open(log.name).read()[-2000:]}")
            try:
                request = urllib.request.Request(f"http://127.0.0.1:{self.http}/bytes/1", headers={"Host": WIDE})
                urllib.request.urlopen(request, timeout=2).read()
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise SystemExit(f"{self.name} does not answer: {error}")
                time.sleep(0.1)

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def pids(self):
        """The process and its children."""
        found = [self.process.pid]
        for pid in found:
            try:
                for thread in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{thread}/children") as children:
                        found += [int(child) for child in children.read().split()]
            except FileNotFoundError:
                pass
        return found


def host_names(options):
    return [WIDE] + [f"bench{i}.gw.localhost" for i in range(options.hosts)]


def node(options, folder="fleet"):
    http, https, ops = options.node.split()
    state = options.state
    return Contender("sluice", http.split(":")[1], https.split(":")[1], [
        f"{options.programs}/sluice-data-plane", "--name", "node-1", "--control-plane", "127.0.0.1:1",
        "--http", http, "--https", https, "--ops", ops, "--tls-cert", f"{state}/edge/cert.pem",
        "--tls-key", f"{state}/edge/key.pem", "--state", f"{state}/{folder}", "--workers", "1", "--access-log", "off"])


def relay(options):
    return Contender("relay", "19116", None, [f"{options.programs}/bench-relay", "127.0.0.1:19116", options.upstream])


def nginx(options):
    folder = f"{options.state}/nginx"
    os.makedirs(folder, exist_ok=True)
    names = "\n".join(host_names(options))
    config = f"""
worker_processes 1;
pid {folder}/pid;
error_log stderr crit;
worker_rlimit_nofile 65536;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  keepalive_requests 10000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server_names_hash_max_size 65536;
  limit_req_zone $host zone=host:10m rate={LIMIT}r/s;
  limit_req_status 429;
  client_max_body_size {MAX_BODY};
  ssl_certificate {options.state}/edge/cert.pem;
  ssl_certificate_key {options.state}/edge/key.pem;
  ssl_protocols TLSv1.3;
  upstream demo {{ server {options.upstream}; keepalive 128; keepalive_requests 1000000; }}
  server {{ listen 127.0.0.1:19110 default_server; listen 127.0.0.1:19111 ssl http2 default_server; return 404; }}
  server {{
    listen 127.0.0.1:19110;
    listen 127.0.0.1:19111 ssl http2;
    server_name {names};
    location / {{
      limit_req zone=host burst={LIMIT} nodelay;
      proxy_pass http://demo;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
      proxy_set_header Connection "";
      proxy_set_header Host {options.upstream};
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Forwarded-Path $uri;
      proxy_set_header X-Request-Id $request_id;
      proxy_set_header Via "1.1 nginx";
      add_header Via "1.1 nginx";
      add_header X-Request-Id $request_id;
      add_header X-Upstream-Latency $upstream_header_time;
      add_header X-Proxy-Latency $request_time;
    }}
  }}
}}
"""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    path = f"{options.state}/nginx.conf"
    return Contender("nginx", "19110", "19111", [program, "-c", path, "-g", "daemon off;"], {path: config})


def haproxy(options):
    state = options.state
    pem = open(f"{state}/edge/cert.pem").read() + open(f"{state}/edge/key.pem").read()
    hosts = "".join(f"{name} demo\n" for name in host_names(options))
    config = f"""
global
  nbthread 1
  maxconn 8192
  ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 60s
  http-reuse always
  unique-id-format %[uuid()]
frontend edge
  bind 127.0.0.1:19112
  bind 127.0.0.1:19113 ssl crt {state}/haproxy.pem alpn h2,http/1.1
  stick-table type string len 64 size 20k expire 10s store http_req_rate(1s)
  http-request track-sc0 req.hdr(host),lower,field(1,:)
  http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt {LIMIT} }}
  http-request deny deny_status 413 if {{ req.hdr_val(content-length) gt {MAX_BODY} }}
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
  http-request set-header X-Forwarded-Proto http if !{{ ssl_fc }}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Path %[path]
  http-request set-header X-Request-Id %[unique-id]
  http-request set-header Via "1.1 haproxy"
  http-response set-header Via "1.1 haproxy"
  http-response set-header X-Request-Id %[unique-id]
  http-response set-header X-Upstream-Latency %Tr
  http-response set-header X-Proxy-Latency %Tt
  use_backend %[req.hdr(host),lower,field(1,:),map({state}/haproxy.map)]
backend demo
  http-request set-header Host {options.upstream}
  server demo {options.upstream} pool-max-conn 1024
"""
    path = f"{state}/haproxy.cfg"
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    files = {path: config, f"{state}/haproxy.map": hosts, f"{state}/haproxy.pem": pem}
    return Contender("haproxy", "19112", "19113", [program, "-f", path], files)


def envoy_limit():
    return {"envoy.filters.http.local_ratelimit": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "limit",
        "token_bucket": {"max_tokens": LIMIT, "tokens_per_fill": LIMIT, "fill_interval": "1s"},
        "filter_enabled": {"default_value": {"numerator": 100}},
        "filter_enforced": {"default_value": {"numerator": 100}}}}


def envoy_field(name, value):
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def envoy_routes(options):
    too_large = {"prefix": "/", "headers": [{"name": "content-length", "range_match": {
        "start": MAX_BODY + 1, "end": 2 ** 62}}]}
    routes = [{"match": too_large, "direct_response": {"status": 413}},
              {"match": {"prefix": "/"}, "route": {"cluster": "demo", "host_rewrite_literal": options.upstream}}]
    return {
        "name": "hosts",
        "ignore_port_in_host_matching": True,
        "virtual_hosts": [{"name": name, "domains": [name], "routes": routes, "typed_per_filter_config": envoy_limit()}
                          for name in host_names(options)],
        "request_headers_to_add": [
            envoy_field("X-Real-IP", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
            envoy_field("X-Forwarded-Host", "%REQ(:AUTHORITY)%"),
            envoy_field("X-Forwarded-Port", "%DOWNSTREAM_LOCAL_PORT%"),
            envoy_field("X-Forwarded-Path", "%REQ(:PATH)%")],
        "response_headers_to_add": [
            envoy_field("X-Request-Id", "%REQ(X-REQUEST-ID)%"),
            envoy_field("X-Upstream-Latency", "%RESPONSE_DURATION%"),
            envoy_field("X-Proxy-Latency", "%DURATION%")],
    }


def envoy_listener(options, port, tls):
    prefix = "type.googleapis.com/envoy.extensions."
    manager = {
        "@type": prefix + "filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge", "use_remote_address": True, "via": "1.1 envoy", "generate_request_id": True,
        "http_filters": [
            {"name": "envoy.filters.http.local_ratelimit", "typed_config": {
                "@type": prefix + "filters.http.local_ratelimit.v3.LocalRateLimit", "stat_prefix": "limit"}},
            {"name": "envoy.filters.http.router", "typed_config": {
                "@type": prefix + "filters.http.router.v3.Router", "suppress_envoy_headers": True}}],
        "rds": {"route_config_name": "hosts", "config_source": {
            "resource_api_version": "V3", "path_config_source": {"path": f"{options.state}/envoy-routes.json"}}}}
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    if tls:
        chain["transport_socket"] = {"name": "tls", "typed_config": {
            "@type": prefix + "transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_3"},
                "tls_certificates": [{"certificate_chain": {"filename": f"{options.state}/edge/cert.pem"},
                                      "private_key": {"filename": f"{options.state}/edge/key.pem"}}]}}}
    return {"name": f"edge-{port}", "filter_chains": [chain],
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}


def envoy(options):
    host, port = options.upstream.split(":")
    cluster = {
        "name": "demo", "type": "STATIC", "connect_timeout": "5s",
        "circuit_breakers": {"thresholds": [{"max_connections": 10000, "max_pending_requests": 10000,
                                             "max_requests": 10000}]},
        "load_assignment": {"cluster_name": "demo", "endpoints": [{"lb_endpoints": [{"endpoint": {
            "address": {"socket_address": {"address": host, "port_value": int(port)}}}}]}]}}
    config = {"node": {"id": "bench", "cluster": "bench"}, "static_resources": {
        "listeners": [envoy_listener(options, 19114, False), envoy_listener(options, 19115, True)],
        "clusters": [cluster]}}
    routes = envoy_routes(options)
    routes["@type"] = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
    path = f"{options.state}/envoy.json"
    files = {path: json.dumps(config),
             f"{options.state}/envoy-routes.json": json.dumps({"version_info": "1", "resources": [routes]})}
    return Contender("envoy", "19114", "19115", [options.envoy, "-c", path, "--concurrency", "1", "-l", "critical",
                                                 "--disable-hot-restart"], files)
