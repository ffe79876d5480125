#include "catch2/catch.hpp"
#include "data-plane/ops/server.h"
#include "tests/support/node.h"
#include "tests/support/process.h"

using sluice::test::Node;
using sluice::test::WireClient;
using sluice::test::WireResponse;

namespace {

struct Ops {
  explicit Ops(Node& node) {
    auto started = sluice::ops::Server::Start({"127.0.0.1", 0}, {node.group(), sync, clock, "node-1", "0.1.0",
                                                                 [] { return true; }});
    REQUIRE(started.ok());
    server = std::move(*started);
  }
  WireResponse Get(std::string_view path) { return WireClient(server->port()).Get("ops", path); }
  sluice::SystemClock clock;
  sluice::sync::Status sync;
  std::unique_ptr<sluice::ops::Server> server;
};

}  // namespace

TEST_CASE("a node that lives is healthy, and ready only when it serves") {
  Node node({.ready = false});
  Ops ops(node);
  CHECK(ops.Get("/healthz").status == 200);
  CHECK(ops.Get("/readyz").status == 503);
  node.group().SetReady();
  CHECK(ops.Get("/readyz").status == 200);
}

TEST_CASE("a draining node is not ready, but healthy") {
  Node node;
  Ops ops(node);
  CHECK(node.group().Drain(sluice::Duration(0), std::chrono::seconds(5)));
  CHECK(ops.Get("/readyz").status == 503);
  CHECK(ops.Get("/healthz").status == 200);
}

TEST_CASE("other paths and methods are refused") {
  Node node;
  Ops ops(node);
  CHECK(ops.Get("/").status == 404);
  WireClient client(ops.server->port());
  client.Send("POST /metrics HTTP/1.1\r\nHost: ops\r\n\r\n");
  CHECK(client.Read().status == 405);
}

TEST_CASE("requests are counted by status and by who answered") {
  Node node({.workers = 2});
  Ops ops(node);
  node.Connect().Get("a.test", "/");
  node.Connect().Get("b.test", "/");
  const std::string metrics = ops.Get("/metrics").body;
  CHECK(metrics.find("sluice_requests_total{code=\"200\",source=\"upstream\"} 1\n") != std::string::npos);
  CHECK(metrics.find("sluice_requests_total{code=\"404\",source=\"gateway\"} 1\n") != std::string::npos);
  CHECK(metrics.find("sluice_rejected_requests_total{reason=\"unknown-host\"} 1\n") != std::string::npos);
  CHECK(metrics.find("name=\"a.test\",class=\"2xx\"} 1\n") != std::string::npos);
  CHECK(metrics.find("sluice_request_duration_seconds_count 2\n") != std::string::npos);
}

TEST_CASE("promtool has nothing to say against the metrics") {
  Node node;
  Ops ops(node);
  node.Connect().Get("a.test", "/");
  const auto checked = sluice::test::Run({"promtool", "check", "metrics"}, ops.Get("/metrics").body);
  INFO(checked.out << checked.err);
  CHECK(checked.exit_code == 0);
}

TEST_CASE("targets that fail are counted, also for their gateway") {
  Node node({.gateway = R"(id: "11111111-1111-4111-8111-111111111111" hosts: "a.test" routes { paths: "/" }
                           services { name: "s" host: "u" }
                           upstreams { name: "u" healthchecks { passive { unhealthy { http_failures: 1 } } } }
                           targets { upstream: "u" target: "127.0.0.1:UPSTREAM_PORT" })",
             .upstream = sluice::test::Answering("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"),
             .workers = 2});
  Ops ops(node);
  node.Connect().Get("a.test", "/");
  const std::string metrics = ops.Get("/metrics").body;
  CHECK(metrics.find("sluice_upstream_targets{health=\"unhealthy\"} 1\n") != std::string::npos);
  CHECK(metrics.find("sluice_gateway_unhealthy_targets{gateway=\"11111111-1111-4111-8111-111111111111\"} 1\n") !=
        std::string::npos);
  CHECK(metrics.find("sluice_upstream_target_changes_total{to=\"unhealthy\"} 1\n") != std::string::npos);
}
