// Clients that leave while their request waits for a connection: the attempt ends, and nobody else is to blame.

#include "catch2/catch.hpp"
#include "tests/data-plane/io/dns_server.h"
#include "tests/data-plane/io/support.h"
#include "tests/support/eventually.h"
#include "tests/support/node.h"

using sluice::io::TestClient;
using sluice::io::TestListener;
using sluice::proxy::DialError;
using sluice::test::Eventually;
using sluice::test::Node;
using sluice::test::NodeOptions;
using sluice::test::Peer;
using namespace std::chrono_literals;

namespace {

// A gateway with room for one request at a time, whose service "away" never lets anybody in.
NodeOptions Away(const std::string& service, const std::string& plan = "") {
  NodeOptions options{.gateway = R"(hosts: "a.test" routes { paths: "/" service: "here" }
                                    routes { paths: "/away" service: "away" }
                                    services { name: "here" host: "127.0.0.1" port: UPSTREAM_PORT }
                                    services { name: "away" retries: 5 )" +
                                 service + " } plan { max_requests_in_flight: 1 " + plan + " }"};
  options.options.times.client_check = 1ms;
  return options;
}

void LeaveWhileWaiting(Node& node) {
  {
    auto client = node.Connect();
    client.Send("GET /away HTTP/1.1\r\nHost: a.test\r\n\r\n");
    REQUIRE(Eventually([&] { return node.stats().requests_in_flight == 1; }));
  }
  REQUIRE(Eventually([&] { return node.stats().requests_in_flight == 0; }));
  CHECK(node.stats().rejected["client-gone"] == 1);
  CHECK(node.stats().dials[static_cast<size_t>(DialError::kClientGone)] == 1);
  CHECK(node.stats().retries == 0);
}

}  // namespace

TEST_CASE("a client that leaves while its upstream's name is asked for frees its place") {
  sluice::io::DnsServer names;
  names.Put("slow.test", {.v4 = {}, .v6 = {}, .silent = true});
  NodeOptions options = Away(R"(host: "slow.test" port: UPSTREAM_PORT)");
  options.options.resolvers = names.servers();
  Node node(std::move(options));
  LeaveWhileWaiting(node);
  CHECK(node.Connect().Get("a.test", "/").status == 200);
}

TEST_CASE("a client that leaves while its upstream is being connected to frees its place") {
  TestListener full(0);
  const std::string port = std::to_string(full.endpoint().port);
  TestClient first(full.endpoint().port);  // fills the backlog: further ones get no answer
  Node node(Away(R"(host: "127.0.0.1" port: )" + port, R"(egress_allow: "127.0.0.1:)" + port + "\""));
  LeaveWhileWaiting(node);
  CHECK(node.Connect().Get("a.test", "/").status == 200);
}

TEST_CASE("a client that leaves during its upstream's TLS handshake takes the connection with it") {
  std::atomic<bool> left{false};
  NodeOptions options = Away(R"(protocol: "https" host: "127.0.0.1" port: UPSTREAM_PORT)");
  options.upstream = [&](auto&, Peer& peer) {
    while (peer.ReadMore()) {
    }
    left = true;
  };
  Node node(std::move(options));
  LeaveWhileWaiting(node);
  CHECK(Eventually([&] { return left.load(); }));
}

TEST_CASE("a client that leaves while it waits for room on another's HTTP/2 connection frees its place") {
  NodeOptions options{.gateway = R"(hosts: "a.test" routes { paths: "/" } plan { max_requests_in_flight: 2 }
                                    services { name: "s" protocol: "grpc" host: "127.0.0.1" port: UPSTREAM_PORT })"};
  options.upstream = [](auto&, Peer& peer) { peer.WaitForClose(); };  // its settings never come
  options.options.times.client_check = 1ms;
  Node node(std::move(options));
  auto first = node.Connect();
  first.Send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  REQUIRE(Eventually([&] { return node.upstream().connections() == 1; }));
  {
    auto second = node.Connect();
    second.Send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    REQUIRE(Eventually([&] { return node.stats().requests_in_flight == 2; }));
  }
  REQUIRE(Eventually([&] { return node.stats().requests_in_flight == 1; }));
  CHECK(node.stats().dials[static_cast<size_t>(DialError::kClientGone)] == 1);
  CHECK(node.upstream().connections() == 1);
}
