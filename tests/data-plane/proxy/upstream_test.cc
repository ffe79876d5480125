// Upstreams that misbehave, vanish or may not be reached.

#include <future>
#include <thread>

#include "catch2/catch.hpp"
#include "tests/data-plane/io/dns_server.h"
#include "tests/support/node.h"
#include "tests/support/process.h"

using sluice::test::Answering;
using sluice::test::Eventually;
using sluice::test::kGet;
using sluice::test::Node;
using sluice::test::NodeOptions;
using sluice::test::Peer;
using sluice::test::WireResponse;

namespace {

std::string Refuses(const std::string& port) {
  return R"(hosts: "a.test" services { name: "s" host: "127.0.0.1" retries: 5 port: )" + port +
         R"( } plan { egress_allow: "127.0.0.1:)" + port + R"(" } routes { paths: "/" })";
}

// A pooled connection that dies when its second request comes; connections after the first answer always.
void DieOnReuse(sluice::test::Upstream& upstream, Peer& peer) {
  const bool first = upstream.connections() == 1;
  for (std::string request = peer.ReadRequest(); !request.empty(); request = peer.ReadRequest()) {
    upstream.Record(request);
    if (first && upstream.requests() == 2) return peer.Reset();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }
}

}  // namespace

TEST_CASE("an answer that has more than one meaning, or none, is a 502") {
  const std::string many(40'000, 'x');
  std::string flood;
  for (int i = 0; i < 10'000; ++i) flood += "HTTP/1.1 100 Continue\r\n\r\n";
  const std::vector<std::string> answers = {
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokEXTRA",
      "HTTP/1.1 204 No Content\r\n\r\nbody",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nbody",
      "HTTP/1.1 200 OK\r\nContent_Length: 5\r\nContent-Length: 2\r\n\r\nok",
      flood,
      "HTTP/1.1 200 OK\r\nX: " + many + "\r\nContent-Length: 0\r\n\r\n",
      "hello, this is HTTP/0.9\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\nab\r\n0\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\n\r\n",
  };
  for (const std::string& answer : answers) {
    INFO(answer.substr(0, 100));
    Node node({.upstream = Answering(answer)});
    CHECK(node.Ask(kGet).status == 502);
    CHECK(node.stats().upstream_idle == 0);
  }
}

TEST_CASE("an upstream that closes without an answer is a 502") {
  Node node({.upstream = [](auto&, Peer& peer) { peer.ReadRequest(); }});
  CHECK(node.Ask(kGet).status == 502);
}

TEST_CASE("an answer whose head has no end is a 502") {
  Node node({.upstream = [](auto&, Peer& peer) {
    peer.ReadRequest();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
  }});
  CHECK(node.Ask(kGet).status == 502);
}

TEST_CASE("an answer cut short is not passed off as whole") {
  Node node({.upstream = [](auto&, Peer& peer) {
    peer.ReadRequest();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  }});
  auto client = node.Connect();
  client.Send(kGet);
  CHECK(client.Read().body.size() < 10);
  CHECK(client.Closed());
}

TEST_CASE("a request on a pooled connection that died is repeated once on a new one") {
  Node node({.upstream = DieOnReuse});
  auto client = node.Connect();
  CHECK(client.Get("a.test", "/1").status == 200);
  CHECK(client.Get("a.test", "/2").status == 200);
  CHECK(node.upstream().connections() == 2);
}

TEST_CASE("a POST on a pooled connection that died is not repeated") {
  Node node({.upstream = DieOnReuse});
  auto client = node.Connect();
  CHECK(client.Get("a.test", "/1").status == 200);
  client.Send("POST /2 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi");
  CHECK(client.Read().status == 502);
  CHECK(node.upstream().requests() == 2);
}

TEST_CASE("a service that refuses connections is a 502") {
  Node node({.gateway = Refuses(std::to_string(sluice::test::FreePort()))});
  WireResponse response = node.Ask(kGet);
  CHECK(response.status == 502);
  CHECK(response.body.find("An invalid response was received from the upstream server") != std::string::npos);
}

TEST_CASE("a target that refuses connections costs a retry on another target") {
  const std::string dead = std::to_string(sluice::test::FreePort());
  Node node({.gateway = R"(hosts: "a.test" services { name: "s" host: "u" } upstreams { name: "u" }
                           targets { upstream: "u" target: "127.0.0.1:)" + dead + R"(" }
                           targets { upstream: "u" target: "127.0.0.1:UPSTREAM_PORT" }
                           plan { egress_allow: "127.0.0.1:)" + dead + R"(" } routes { paths: "/" })"});
  for (int i = 0; i < 4; ++i) CHECK(node.Ask(kGet).status == 200);
}

TEST_CASE("an upstream that says nothing within the read timeout is a 504") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/" }
                           services { name: "s" host: "127.0.0.1" port: UPSTREAM_PORT read_timeout: 50 })",
             .upstream = [](auto&, Peer& peer) { peer.ReadRequest(), peer.WaitForClose(); }});
  CHECK(node.Ask(kGet).status == 504);
}

TEST_CASE("an address that the egress policy forbids is never connected to") {
  sluice::io::DnsServer names;
  names.Put("rebound.test", {.v4 = {"127.0.0.1"}, .v6 = {"::1"}});
  NodeOptions options{.gateway = R"(hosts: "a.test" routes { paths: "/" }
                                    services { name: "s" host: "rebound.test" port: UPSTREAM_PORT })",
                      .allow_upstream = false};
  options.options.resolvers = names.servers();
  Node node(std::move(options));
  CHECK(node.Ask(kGet).status == 502);
  CHECK(node.upstream().connections() == 0);
  CHECK(node.stats().dials[static_cast<size_t>(sluice::proxy::DialError::kDenied)] > 0);
}

TEST_CASE("a service by name is found, and a name that nobody has is a 503") {
  sluice::io::DnsServer names;
  names.Put("service.test", {.v4 = {"127.0.0.1"}, .v6 = {}});
  NodeOptions options{.gateway = R"(hosts: "a.test" routes { paths: "/is" service: "s" } routes { paths: "/not" service: "n" }
                                    services { name: "s" host: "service.test" port: UPSTREAM_PORT }
                                    services { name: "n" host: "nowhere.test" port: UPSTREAM_PORT })"};
  options.options.resolvers = names.servers();
  Node node(std::move(options));
  CHECK(node.Ask("GET /is HTTP/1.1\r\nHost: a.test\r\n\r\n").status == 200);
  WireResponse response = node.Ask("GET /not HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(response.status == 503);
  CHECK(response.body.find("name resolution failed") != std::string::npos);
}

TEST_CASE("connections of one gateway are not lent to another") {
  Node node({.more_gateways = {R"(id: "22222222-2222-4222-8222-222222222222" hosts: "b.test" routes { paths: "/" })"}});
  auto client = node.Connect();
  CHECK(client.Get("a.test", "/").status == 200);
  CHECK(client.Get("b.test", "/").status == 200);
  CHECK(node.upstream().connections() == 2);
}

TEST_CASE("more requests in flight than the plan has are a 503 with the time to come back") {
  Node node({.gateway = R"(hosts: "a.test" plan { max_requests_in_flight: 1 } routes { paths: "/" })",
             .upstream = [](auto&, Peer& peer) {
               peer.ReadRequest();
               peer.WaitForClose();
             }});
  auto first = node.Connect();
  first.Send(kGet);
  REQUIRE(Eventually([&] { return node.upstream().connections() > 0; }));
  WireResponse response = node.Ask(kGet);
  CHECK(response.status == 503);
  CHECK(response.fields["retry-after"] == "1");
  CHECK(node.stats().rejected["in-flight"] == 1);
}

TEST_CASE("two hundred requests of a serverless gateway are in flight at once, and one more is a 503") {
  std::promise<void> full;
  const std::shared_future<void> answer = full.get_future().share();
  Node node({.gateway = R"(hosts: "a.test" plan { requests_per_second: 1000 max_upstream_connections: 300 }
                           routes { paths: "/" })",
             .upstream = [&](auto&, Peer& peer) {
               if (peer.ReadRequest().empty()) return;
               answer.wait();
               peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
             }});
  std::vector<std::unique_ptr<sluice::test::WireClient>> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(std::make_unique<sluice::test::WireClient>(node.group().http_port()));
    clients.back()->Send(kGet);
    REQUIRE(Eventually([&] { return node.upstream().connections() > i; }));
  }
  CHECK(node.Ask(kGet).status == 503);
  full.set_value();
  for (const auto& client : clients) CHECK(client->Read().status == 200);
  CHECK(node.stats().rejected["in-flight"] == 1);
}

TEST_CASE("a client that does not read holds its upstream back") {
  std::atomic<size_t> sent{0};
  Node node({.upstream = [&](auto&, Peer& peer) {
    if (peer.ReadRequest().empty()) return;
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    const std::string piece(65'536, 'x');
    while (sent < 1'000'000'000 && peer.TrySend(piece)) sent += piece.size();
  }});
  auto client = node.Connect();
  client.Send(kGet);
  for (size_t before = 1; before != sent; std::this_thread::sleep_for(std::chrono::milliseconds(300))) before = sent;
  CHECK(sent > 0);
  CHECK(sent < 100'000'000);
}
