// How many connections a gateway may have to its services, and how many requests may wait for one.


#include "catch2/catch.hpp"
#include "tests/support/node.h"

using sluice::proxy::DialError;
using sluice::test::Answering;
using sluice::test::Eventually;
using sluice::test::kGet;
using sluice::test::Node;
using sluice::test::Peer;
using sluice::test::Upstream;

namespace {

// Over TLS, so that a connection is not ready before its upstream says something.
std::string Pending(int max) {
  return R"(hosts: "a.test" routes { paths: "/" } plan { max_pending_per_target: )" + std::to_string(max) +
         R"( } services { name: "s" protocol: "https" host: "127.0.0.1" port: UPSTREAM_PORT tls_verify: false })";
}

void Silent(Upstream&, Peer& peer) { peer.WaitForClose(); }

void AwaitConnections(Node& node, int count) {
  REQUIRE(Eventually([&] { return node.upstream().connections() >= count; }));
}

uint64_t Dials(Node& node, DialError outcome) { return node.stats().dials[static_cast<size_t>(outcome)]; }

}  // namespace

TEST_CASE("as many requests as the plan says wait for a connection to a target, and one more is a 503") {
  Node node({.gateway = Pending(2), .upstream = Silent});
  auto first = node.Connect();
  auto second = node.Connect();
  first.Send(kGet);
  AwaitConnections(node, 1);
  second.Send(kGet);  // and waits for what the first agrees on
  CHECK(node.Ask(kGet).status == 503);
  CHECK(node.upstream().connections() == 1);
  CHECK(Dials(node, DialError::kPending) == 1);
}

TEST_CASE("requests that wait for a target are counted over all workers, however the clients are spread among them") {
  constexpr int kMax = 8;
  Node node({.gateway = Pending(kMax), .upstream = Silent, .workers = 4});
  std::vector<std::unique_ptr<sluice::test::WireClient>> clients;
  for (int i = 0; i < kMax; ++i) {
    clients.push_back(std::make_unique<sluice::test::WireClient>(node.group().http_port()));
    clients.back()->Send(kGet);
  }
  REQUIRE(Eventually([&] { return node.stats().requests_in_flight >= kMax; }));
  CHECK(node.Ask(kGet).status == 503);
  CHECK(Dials(node, DialError::kPending) == 1);
}

TEST_CASE("a request that no longer waits for its connection makes room for another") {
  Node node({.gateway = Pending(1), .upstream = [](auto&, Peer& peer) { peer.ReadMore(); }});
  CHECK(node.Ask(kGet).status == 502);
  CHECK(node.Ask(kGet).status == 502);
  CHECK(Dials(node, DialError::kPending) == 0);
}

TEST_CASE("as many connections to services as the plan has are opened, and one more is a 503") {
  Node node({.gateway = R"(hosts: "a.test" plan { max_upstream_connections: 2 } routes { paths: "/" })",
             .upstream = Silent});
  auto first = node.Connect();
  auto second = node.Connect();
  first.Send(kGet);
  second.Send(kGet);
  AwaitConnections(node, 2);
  CHECK(node.Ask(kGet).status == 503);
  CHECK(node.upstream().connections() == 2);
  CHECK(Dials(node, DialError::kConnections) == 1);
}

TEST_CASE("an idle connection of one worker at the plan's bound makes room for one of another worker") {
  Node node({.gateway = R"(hosts: "a.test" plan { max_upstream_connections: 1 } routes { paths: "/" })", .workers = 4});
  for (int i = 0; i < 32; ++i) CHECK(node.Ask(kGet).status == 200);
  CHECK(node.upstream().connections() > 1);
  CHECK(node.stats().upstream_idle == 1);
}

TEST_CASE("an idle connection at the plan's bound makes room for one to another service") {
  Upstream other(Answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"));
  const std::string port = std::to_string(other.port());
  Node node({.gateway = R"(hosts: "a.test" plan { max_upstream_connections: 1 egress_allow: "127.0.0.1:)" + port +
                        R"(" }
                           services { name: "s" host: "127.0.0.1" port: UPSTREAM_PORT } routes { paths: "/" }
                           services { name: "o" host: "127.0.0.1" port: )" + port + R"( }
                           routes { paths: "/other" service: "o" })"});
  auto client = node.Connect();
  CHECK(client.Get("a.test", "/").body == "ok");
  CHECK(client.Get("a.test", "/other").body == "other");
  CHECK(client.Get("a.test", "/").body == "ok");
  CHECK(node.stats().upstream_idle == 1);
  CHECK(node.upstream().connections() == 2);
}
