// Clients and upstreams that stop: those that take nothing more, and clients that leave before their answer.

#include <arpa/inet.h>
#include <sys/socket.h>

#include <future>
#include <thread>

#include "catch2/catch.hpp"
#include "tests/support/node.h"

using sluice::Source;
using sluice::test::kGet;
using sluice::test::Node;
using sluice::test::NodeOptions;
using sluice::test::Peer;
using sluice::test::WireResponse;
using namespace std::chrono_literals;

namespace {

// A client's side that can reset its connection.
std::unique_ptr<Peer> Dial(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return std::make_unique<Peer>(fd);
}

// An upstream that says only `beginning` to its first request and waits for the end; later ones are answered. One
// request at a time fits into the gateway's plan.
struct Abandoned {
  explicit Abandoned(std::string beginning) : node(Options(std::move(beginning))) {}
  NodeOptions Options(std::string beginning) {
    NodeOptions options{.gateway = R"(hosts: "a.test" plan { max_requests_in_flight: 1 } routes { paths: "/" })"};
    options.upstream = [this, beginning](auto&, Peer& peer) {
      if (peer.ReadRequest().empty()) return;
      if (served++ > 0) return peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
      peer.Send(beginning);
      asked.set_value();
      left.set_value(peer.WaitForClose());
    };
    options.options.times.client_check = 1ms;
    return options;
  }
  std::atomic<int> served{0};
  std::promise<void> asked;
  std::promise<bool> left;
  Node node;
};

}  // namespace

TEST_CASE("a client that takes nothing for the stall time is cut off, and its upstream with it") {
  std::promise<void> cut;
  NodeOptions options;
  options.upstream = [&](auto&, Peer& peer) {
    if (peer.ReadRequest().empty()) return;
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    const std::string piece(65'536, 'x');
    while (peer.TrySend(piece)) {
    }
    cut.set_value();
  };
  options.options.times.write_stall = 50ms;
  Node node(std::move(options));
  auto client = node.Connect();
  client.Send(kGet);
  cut.get_future().wait();
  CHECK(node.stats().rejected["client-gone"] == 1);
  CHECK(node.stats().writes_stalled == 1);
  CHECK(node.stats().requests_in_flight == 0);
}

TEST_CASE("an upstream that takes nothing of a body for the write timeout is a 504") {
  std::promise<void> over;
  Node node({.gateway = R"(hosts: "a.test" plan { max_body_bytes: 100000000 } routes { paths: "/" }
                           services { name: "s" host: "127.0.0.1" port: UPSTREAM_PORT write_timeout: 50 })",
             .upstream = [&](auto&, Peer& peer) {
               if (!peer.ReadHead().empty()) over.get_future().wait();
             }});
  auto client = node.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000000\r\n\r\n");
  CHECK_FALSE(client.Send(std::string(100'000'000, 'x')));
  CHECK(node.stats().rejected["upstream-timeout"] == 1);
  CHECK(node.stats().requests[static_cast<size_t>(Source::kGateway)][504] == 1);
  over.set_value();
}

TEST_CASE("a client that leaves before its answer frees its place and takes the upstream's request with it") {
  Abandoned abandoned("");
  {
    auto client = abandoned.node.Connect();
    client.Send(kGet);
    abandoned.asked.get_future().wait();
  }
  CHECK(abandoned.left.get_future().get());
  CHECK(abandoned.node.Ask(kGet).status == 200);
  CHECK(abandoned.node.stats().rejected["client-gone"] == 1);
}

TEST_CASE("a client that resets its connection before its answer frees its place as well") {
  Abandoned abandoned("");
  auto client = Dial(abandoned.node.group().http_port());
  client->Send(kGet);
  abandoned.asked.get_future().wait();
  client->Reset();
  CHECK(abandoned.left.get_future().get());
  CHECK(abandoned.node.Ask(kGet).status == 200);
}

TEST_CASE("a client that leaves while its answer pauses takes the upstream's connection with it") {
  Abandoned abandoned("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  {
    auto client = abandoned.node.Connect();
    client.Send(kGet);
    abandoned.asked.get_future().wait();
  }
  CHECK(abandoned.left.get_future().get());
  CHECK(abandoned.node.Ask(kGet).status == 200);
  CHECK(abandoned.node.stats().rejected["client-gone"] == 1);
}

TEST_CASE("a request that comes early is not taken for leaving, and is served in its turn") {
  NodeOptions options;
  options.upstream = [](auto& upstream, Peer& peer) {
    for (std::string request = peer.ReadRequest(); !request.empty(); request = peer.ReadRequest()) {
      upstream.Record(request);
      std::this_thread::sleep_for(30ms);  // slow enough to be looked after several times
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  };
  options.options.times.client_check = 1ms;
  Node node(std::move(options));
  auto client = node.Connect();
  client.Send("GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\n");
  client.Send("POST /2 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x'));
  CHECK(client.Read().status == 200);
  CHECK(client.Read().status == 200);
  CHECK(node.upstream().request(1).ends_with("\r\n\r\n" + std::string(100'000, 'x')));
}

TEST_CASE("looking after the client does not lengthen the time that the upstream has") {
  NodeOptions options{.gateway = R"(hosts: "a.test" routes { paths: "/" }
                                    services { name: "s" host: "127.0.0.1" port: UPSTREAM_PORT read_timeout: 50 })",
                      .upstream = [](auto&, Peer& peer) { peer.ReadRequest(), peer.WaitForClose(); }};
  options.options.times.client_check = 1ms;
  Node node(std::move(options));
  CHECK(node.Ask(kGet).status == 504);
}
