// WebSocket: what becomes a tunnel, what does not, and what goes through one.

#include <future>

#include "catch2/catch.hpp"
#include "tests/support/node.h"

using sluice::test::Answering;
using sluice::test::Node;
using sluice::test::NodeOptions;
using sluice::test::Peer;
using sluice::test::Upstream;
using sluice::test::WireClient;
using sluice::test::WireResponse;
using namespace std::chrono_literals;

namespace {

constexpr const char* kAsk =
    "GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
constexpr const char* kAccept =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string Then(std::string first, std::string_view second) { return first.append(second); }

// Accepts the upgrade, then sends back whatever comes, until the client ends.
void Echo(Upstream& upstream, Peer& peer) {
  upstream.Record(peer.ReadRequest());
  peer.Send(kAccept);
  do {
    peer.Send(std::exchange(peer.buffered, ""));
  } while (peer.ReadMore());
}

}  // namespace

TEST_CASE("an accepted websocket carries bytes both ways as they are") {
  Node node({.upstream = Echo});
  WireClient client = node.Connect();
  client.Send(kAsk);
  const WireResponse accepted = client.Read();
  CHECK(accepted.status == 101);
  CHECK(accepted.fields.at("upgrade") == "websocket");
  CHECK(accepted.fields.at("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  client.Send("\x81\x03one\r\n\r\n");
  CHECK(client.Take(9) == "\x81\x03one\r\n\r\n");
  client.Send("two");
  CHECK(client.Take(3) == "two");
  CHECK(node.upstream().last().find("\r\nUpgrade: websocket\r\n") != std::string::npos);
}

TEST_CASE("what a client sends before the 101 goes through the tunnel once it is there") {
  Node node({.upstream = Echo});
  WireClient client = node.Connect();
  client.Send(Then(kAsk, "early"));
  CHECK(client.Read().status == 101);
  CHECK(client.Take(5) == "early");
}

TEST_CASE("an upgrade that the service does not accept stays HTTP, and what follows is a request") {
  Node node({.upstream = Answering(kOk)});
  WireClient client = node.Connect();
  client.Send(Then(kAsk, "GET /next HTTP/1.1\r\nHost: nobody.test\r\n\r\n"));
  CHECK(client.Read().body == "ok");
  CHECK(client.Read().status == 404);
  CHECK(node.upstream().requests() == 1);
}

TEST_CASE("an upgrade to anything but a websocket is not passed on") {
  Node node({.upstream = Answering(kOk)});
  WireClient client = node.Connect();
  client.Send(
      "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
  CHECK(client.Read().status == 200);
  const std::string seen = node.upstream().last();
  CHECK(seen.find("pgrade") == std::string::npos);
  CHECK(seen.find("HTTP2-Settings") == std::string::npos);
}

TEST_CASE("what follows an upgrade that is not passed on is a request of its own") {
  Node node({.upstream = Answering(kOk)});
  WireClient client = node.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n"
              "GET /next HTTP/1.1\r\nHost: nobody.test\r\n\r\n");
  CHECK(client.Read().body == "ok");
  CHECK(client.Read().status == 404);
  CHECK(node.upstream().requests() == 1);
}

TEST_CASE("nothing of what a client sends early goes upstream before the 101") {
  std::promise<std::string> seen;
  Node node({.upstream = [&](Upstream&, Peer& peer) {
    if (peer.ReadRequest().empty()) return;
    peer.Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    peer.WaitForClose();
    seen.set_value(peer.buffered);
  }});
  {
    WireClient client = node.Connect();
    client.Send(Then(kAsk, "\x81\x05 early"));
    CHECK(client.Read().status == 403);
    node.group().Drain(0s, 0s);
  }
  CHECK(seen.get_future().get().empty());
}

TEST_CASE("CONNECT is a 405 that ends the connection, and nothing behind it is a request") {
  Node node({.upstream = Answering(kOk)});
  WireClient client = node.Connect();
  client.Send("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(client.Read().status == 405);
  CHECK(client.Read().status == 0);
  CHECK(node.upstream().connections() == 0);
  CHECK(node.stats().rejected["connect"] == 1);
}

TEST_CASE("a 101 that nobody asked for is no answer") {
  Node node({.upstream = Answering(kAccept)});
  CHECK(node.Ask("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").status == 502);
}

TEST_CASE("a 101 to something else than a websocket is no answer") {
  Node node({.upstream = Answering("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n")});
  CHECK(node.Ask(kAsk).status == 502);
}

TEST_CASE("the service's end ends the tunnel behind its last bytes") {
  Node node({.upstream = [](Upstream&, Peer& peer) {
    peer.ReadRequest();
    peer.Send(Then(kAccept, "bye"));
  }});
  WireClient client = node.Connect();
  client.Send(kAsk);
  CHECK(client.Read().status == 101);
  CHECK(client.Take(4) == "bye");
  CHECK(client.Closed());
}

TEST_CASE("the client's end reaches the service, whose last words still come through") {
  Node node({.upstream = [](Upstream&, Peer& peer) {
    peer.ReadRequest();
    peer.Send(kAccept);
    peer.WaitForClose();
    peer.Send("last words");
  }});
  WireClient client = node.Connect();
  client.Send(kAsk);
  CHECK(client.Read().status == 101);
  client.End();
  CHECK(client.Take(10) == "last words");
  CHECK(client.Closed());
}

TEST_CASE("a tunnel outlives changes of its gateway") {
  Node node({.upstream = Echo});
  WireClient client = node.Connect();
  client.Send(kAsk);
  CHECK(client.Read().status == 101);
  node.Publish(R"(hosts: "a.test" routes { paths: "/other" })");
  client.Send("still here");
  CHECK(client.Take(10) == "still here");
}

TEST_CASE("a tunnel in which nothing moves is closed after the service's read timeout") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/" }
                           services { name: "s" host: "127.0.0.1" port: UPSTREAM_PORT read_timeout: 50 })",
             .upstream = [](Upstream&, Peer& peer) {
               peer.ReadRequest();
               peer.Send(kAccept);
               peer.WaitForClose();
             }});
  WireClient client = node.Connect();
  client.Send(kAsk);
  CHECK(client.Read().status == 101);
  CHECK(client.Closed());
}

TEST_CASE("hints that come before an answer are passed on") {
  Node node({.upstream = Answering("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n"
                                   "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")});
  WireClient client = node.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  const WireResponse hints = client.Read();
  CHECK(hints.status == 103);
  CHECK(hints.fields.at("link") == "</a.css>");
  CHECK_FALSE(hints.fields.contains("x-hop"));
  CHECK(client.Read().body == "ok");
}

TEST_CASE("an HTTP/1.0 client gets the answer alone") {
  Node node({.upstream = Answering("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")});
  CHECK(node.Ask("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n").status == 200);
}
