// Requests that go to their service by HTTP/2: what it sees, how connections are shared, and what goes wrong.

#include <atomic>
#include <future>

#include "catch2/catch.hpp"
#include "tests/support/http2.h"
#include "tests/support/http2_service.h"

using sluice::http::Http2Error;
using sluice::test::Eventually;
using sluice::test::Http2Call;
using sluice::test::Http2Service;
using sluice::test::kGet;
using sluice::test::Node;
using sluice::test::NodeOptions;
using sluice::test::Peer;
using sluice::test::Upstream;
using sluice::test::WireResponse;
namespace h2 = sluice::test::h2;

namespace {

std::string Gateway(const std::string& plan = "") {
  return R"(hosts: "a.test" routes { paths: "/" } plan { requests_per_second: 10000 )" + plan +
         R"( } services { name: "s" protocol: "grpc" host: "127.0.0.1" port: UPSTREAM_PORT })";
}

// Everything the service saw of a head, "name: value" a line.
std::string Text(const sluice::http::RequestHead& head) {
  std::string text =
      std::string(head.method) + " " + std::string(head.target) + " " + std::string(head.authority) + "\n";
  for (const auto& field : head.fields) text += std::string(field.name) + ": " + std::string(field.value) + "\n";
  return text;
}

bool HasHeaders(std::string bytes) {
  if (bytes.size() < 24) return false;
  bytes.erase(0, 24);  // the preface
  for (const auto& frame : h2::TakeFrames(bytes)) {
    if (frame.type == h2::kHeaders) return true;
  }
  return false;
}

// Frames as they are, once a request has come.
Upstream::Serve Sending(std::string frames) {
  return [frames](Upstream&, Peer& peer) {
    while (!HasHeaders(peer.buffered)) {
      if (!peer.ReadMore()) return;
    }
    peer.Send(h2::Frame(h2::kSettings, 0, 0) + frames);
    peer.WaitForClose();
  };
}

const std::string kOk = h2::Frame(h2::kHeaders, h2::kEndHeaders, 1, "\x88");  // :status 200

}  // namespace

TEST_CASE("a service gets the request with HTTP/2's own fields and without HTTP/1's") {
  std::promise<std::string> seen;
  Node node({.gateway = Gateway(), .upstream = Http2Service::Serving({.whole = [&](auto&, Http2Call& call) {
                                     seen.set_value(Text(call.head));
                                     call.Answer(200);
                                   }})});
  node.Ask(
      "GET /p?q HTTP/1.1\r\nHost: a.test\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nTE: trailers\r\n"
      "Cookie: a=1; b=2\r\nX-One: 1\r\n\r\n");
  const std::string text = seen.get_future().get();
  CHECK(text.starts_with("GET /p?q 127.0.0.1:"));
  CHECK(text.find("cookie: a=1; b=2\n") != std::string::npos);
  CHECK(text.find("x-one: 1\n") != std::string::npos);
  CHECK(text.find("via: 1.1 sluice\n") != std::string::npos);
  for (const char* gone : {"connection:", "x-hop:", "host:", "te:"}) {
    CHECK(text.find(std::string("\n") + gone) == std::string::npos);
  }
}

TEST_CASE("gRPC is told that its trailers are taken") {
  std::promise<std::string> seen;
  Node node({.gateway = Gateway(), .upstream = Http2Service::Serving({.whole = [&](auto&, Http2Call& call) {
                                     seen.set_value(Text(call.head));
                                     call.Answer(200);
                                   }})});
  node.Ask(
      "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/grpc\r\ngrpc-timeout: 1S\r\n"
      "Content-Length: 1\r\n\r\nx");
  const std::string text = seen.get_future().get();
  CHECK(text.find("te: trailers\n") != std::string::npos);
  CHECK(text.find("grpc-timeout: 1S\n") != std::string::npos);
  CHECK(text.find("content-length: 1\n") != std::string::npos);
}

TEST_CASE("the answer of an HTTP/2 service comes back framed for HTTP/1.1") {
  Node node({.gateway = Gateway(), .upstream = Http2Service::Answering(200, {{"x-a", "b"}}, "hello", {{"x-t", "1"}})});
  auto client = node.Connect();
  WireResponse response = client.Get("a.test", "/");
  CHECK(response.status == 200);
  CHECK(response.fields["x-a"] == "b");
  CHECK(response.fields["via"] == "2 sluice");
  CHECK(response.fields["transfer-encoding"] == "chunked");
  CHECK(response.body == "hello");
  CHECK(client.Get("a.test", "/").body == "hello");
  CHECK(node.upstream().connections() == 1);
}

TEST_CASE("an answer without a body has no length to HTTP/1.1, so it is told one") {
  Node node({.gateway = Gateway(), .upstream = Http2Service::Answering(200, {}, "")});
  CHECK(node.Ask(kGet).fields["content-length"] == "0");
}

TEST_CASE("a large body goes up and comes down whole") {
  Node node({.gateway = Gateway(), .upstream = Http2Service::Serving({.whole = [](auto&, Http2Call& call) {
                                     call.Answer(200, {}, call.body);
                                   }})});
  std::string body(3'000'000, 'x');
  for (size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>('a' + i / 1000 % 26);
  auto client = node.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3000000\r\n\r\n");
  auto sent = std::async(std::launch::async, [&] { return client.Send(body); });
  CHECK(sent.get());
  CHECK(client.Read().body == body);
}

TEST_CASE("a hundred requests share one connection, and one more opens another") {
  std::atomic<int> arrived{0};
  const auto hold = [&](auto&, Http2Call& call) {
    if (++arrived == 101) call.Answer(200);
  };
  Node node({.gateway = Gateway(), .upstream = Http2Service::Serving({.whole = hold})});
  std::vector<std::unique_ptr<sluice::test::WireClient>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<sluice::test::WireClient>(node.group().http_port()));
    clients.back()->Send(kGet);
  }
  REQUIRE(Eventually([&] { return arrived >= 100; }));
  CHECK(node.upstream().connections() == 1);
  CHECK(node.Ask(kGet).status == 200);
  CHECK(node.upstream().connections() == 2);
}

TEST_CASE("who finds no room within the plan's connections waits for it") {
  std::atomic<int> arrived{0};
  std::vector<Http2Call*> held;
  const auto hold = [&](auto&, Http2Call& call) {
    if (++arrived == 101) return call.Answer(201);
    held.push_back(&call);
    if (arrived == 100) held.front()->Answer(200);
  };
  Node node({.gateway = Gateway("max_upstream_connections: 1 max_pending_per_target: 101"),
             .upstream = Http2Service::Serving({.whole = hold})});
  std::vector<std::unique_ptr<sluice::test::WireClient>> clients;
  for (int i = 0; i < 101; ++i) {
    clients.push_back(std::make_unique<sluice::test::WireClient>(node.group().http_port()));
    clients.back()->Send(kGet);
  }
  REQUIRE(Eventually([&] { return arrived >= 101; }));
  CHECK(node.upstream().connections() == 1);
}

TEST_CASE("as many may wait as the plan says, and one more is a 503") {
  Node node(
      {.gateway = Gateway("max_pending_per_target: 2"), .upstream = [](auto&, Peer& peer) { peer.WaitForClose(); }});
  auto first = node.Connect();
  auto second = node.Connect();
  auto third = node.Connect();
  first.Send(kGet);
  const size_t connected = static_cast<size_t>(sluice::proxy::DialError::kNone);
  REQUIRE(Eventually([&] { return node.stats().dials[connected] == 1; }));
  second.Send(kGet);
  third.Send(kGet);
  REQUIRE(Eventually([&] { return node.stats().requests_in_flight >= 3; }));
  CHECK(node.Ask(kGet).status == 503);
  CHECK(node.upstream().connections() == 1);
}

TEST_CASE("a request that was refused unprocessed is asked again, whatever its method") {
  std::atomic<int> calls{0};
  Node node({.gateway = Gateway(),
             .upstream = Http2Service::Serving({.head =
                                                    [&](auto&, Http2Call& call) {
                                                      if (++calls == 1) call.Reset(Http2Error::kRefused);
                                                    },
                                                .whole = [](auto&, Http2Call& call) { call.Answer(200); }})});
  CHECK(node.Ask("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n").status == 200);
  CHECK(calls == 2);
}

TEST_CASE("a service that refuses everything is asked a bounded number of times") {
  std::atomic<int> calls{0};
  Node node({.gateway = Gateway(), .upstream = Http2Service::Serving({.head = [&](auto&, Http2Call& call) {
                                     ++calls;
                                     call.Reset(Http2Error::kRefused);
                                   }})});
  CHECK(node.Ask(kGet).status == 502);
  CHECK(calls == sluice::proxy::kMaxTries);
}

TEST_CASE("a request above GOAWAY's last stream goes to another connection") {
  std::atomic<int> connections{0};
  Node node({.gateway = Gateway(), .upstream = [&](Upstream& upstream, Peer& peer) {
               if (++connections > 1) return Http2Service::Answering(200, {}, "second")(upstream, peer);
               Sending(h2::Frame(h2::kGoAway, 0, 0, h2::Number(0) + h2::Number(0)))(upstream, peer);
             }});
  CHECK(node.Ask(kGet).body == "second");
}

TEST_CASE("a connection that is going away finishes what it has, and takes nothing new") {
  Node node(
      {.gateway = Gateway(), .upstream = Http2Service::Serving({.whole = [](Http2Service& service, Http2Call& call) {
                               service.session().BeginGoAway();
                               call.Answer(200, {}, "ok");
                             }})});
  CHECK(node.Ask(kGet).body == "ok");
  CHECK(node.Ask(kGet).body == "ok");
  CHECK(node.upstream().connections() == 2);
}

TEST_CASE("a client that leaves cancels its stream and not the connection") {
  std::promise<Http2Error> closed;
  std::promise<void> asked;
  Node node({.gateway = Gateway(),
             .upstream = Http2Service::Serving({.whole =
                                                    [&](auto&, Http2Call& call) {
                                                      if (call.head.path == "/") return asked.set_value();
                                                      call.Answer(200);
                                                    },
                                                .closed =
                                                    [&](auto&, Http2Call& call) {
                                                      if (call.head.path == "/") closed.set_value(call.error);
                                                    }})});
  {
    auto client = node.Connect();
    client.Send(kGet);
    asked.get_future().wait();
  }
  CHECK(closed.get_future().get() == Http2Error::kCancel);
  CHECK(node.Ask("GET /next HTTP/1.1\r\nHost: a.test\r\n\r\n").status == 200);
  CHECK(node.upstream().connections() == 1);
}

TEST_CASE("an upload over the plan's limit never looks whole to the service") {
  std::promise<bool> whole;
  Node node(
      {.gateway = Gateway("max_body_bytes: 100000"),
       .upstream = Http2Service::Serving({.closed = [&](auto&, Http2Call& call) { whole.set_value(call.whole); }})});
  auto client = node.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n" +
              std::string(100'000, 'x') + "\r\n");
  client.Send("1\r\nx\r\n0\r\n\r\n");
  CHECK(client.Read().status == 413);
  CHECK_FALSE(whole.get_future().get());
}

TEST_CASE("an answer that comes before the body is passed on") {
  Node node({.gateway = Gateway(), .upstream = Http2Service::Serving({.head = [](Http2Service&, Http2Call& call) {
                                     call.Answer(403, {}, "no");
                                   }})});
  auto client = node.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000\r\n\r\nx");
  const WireResponse response = client.Read();
  CHECK(response.status == 403);
  CHECK(response.body == "no");
}

TEST_CASE("answers that break the rules of HTTP/2 are a 502") {
  const std::vector<std::string> bad = {
      h2::Frame(h2::kHeaders, h2::kEndHeaders | h2::kEndStream, 1, h2::Field("x", "1")),  // no status
      h2::Frame(h2::kHeaders, h2::kEndHeaders | h2::kEndStream, 1, "\x88" + h2::Field("connection", "x")),
      h2::Frame(h2::kHeaders, h2::kEndHeaders | h2::kEndStream, 1, "\x88" + h2::Field("X-Upper", "x")),
      h2::Frame(h2::kHeaders, h2::kEndHeaders | h2::kEndStream, 1, "\x88" + h2::Field("content-length", "5")),
      h2::Frame(h2::kHeaders, h2::kEndHeaders, 1, h2::Field(":status", "101")),
      h2::Frame(h2::kData, 0, 1, "x"),  // before a head
      "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
  };
  for (const std::string& frames : bad) {
    Node node({.gateway = Gateway(), .upstream = Sending(frames)});
    CHECK(node.Ask("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n").status == 502);
  }
}

TEST_CASE("a body that is longer than it said is cut") {
  const std::string head = h2::Frame(h2::kHeaders, h2::kEndHeaders, 1, "\x88" + h2::Field("content-length", "2"));
  Node node({.gateway = Gateway(), .upstream = Sending(head + h2::Frame(h2::kData, h2::kEndStream, 1, "abc"))});
  const WireResponse response = node.Ask(kGet);
  CHECK((response.status == 0 || response.status == 502 || response.body.size() < 2));
}

TEST_CASE("an upstream that floods is closed") {
  std::string pings;
  for (int i = 0; i < 1100; ++i) pings += h2::Frame(h2::kPing, 0, 0, "12345678");
  std::string block = h2::Frame(h2::kHeaders, 0, 1, "\x88");
  for (int i = 0; i < 9; ++i) block += h2::Frame(h2::kContinuation, 0, 1, h2::Field("x", "1"));
  for (const std::string& flood : {pings, block}) {
    Node node({.gateway = Gateway(), .upstream = Sending(flood)});
    CHECK(node.Ask("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n").status == 502);
  }
}

TEST_CASE("eight interim answers are passed over, and nine are too many") {
  const std::string interim = h2::Frame(h2::kHeaders, h2::kEndHeaders, 1, h2::Field(":status", "103"));
  const std::string end = h2::Frame(h2::kData, h2::kEndStream, 1, "ok");
  const auto ask = [&](int count) {
    std::string frames;
    for (int i = 0; i < count; ++i) frames += interim;
    Node node({.gateway = Gateway(), .upstream = Sending(frames + kOk + end)});
    return node.Ask("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n").status;
  };
  CHECK(ask(8) == 200);
  CHECK(ask(9) == 502);
}

TEST_CASE("a silent upstream that answers no PING is given up") {
  NodeOptions options{.gateway = Gateway(), .upstream = Sending("")};
  options.options.times.upstream_ping = std::chrono::milliseconds(20);
  Node node(std::move(options));
  CHECK(node.Ask("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n").status == 502);
}

TEST_CASE("a connection without requests is closed after a while") {
  std::promise<void> ended;
  NodeOptions options{.gateway = Gateway(), .upstream = [&](Upstream& upstream, Peer& peer) {
                        Http2Service::Answering(200, {}, "ok")(upstream, peer);
                        ended.set_value();
                      }};
  options.options.times.upstream_idle = std::chrono::milliseconds(20);
  Node node(std::move(options));
  CHECK(node.Ask(kGet).body == "ok");
  ended.get_future().wait();
}

TEST_CASE("what waits of an HTTP/2 service's answer counts: at the bound it passes, one past it is a 503") {
  for (const std::string body : {"12345678", "123456789"}) {
    Node node({.gateway = Gateway("max_buffered_bytes: 8"),
               .upstream = Sending(kOk + h2::Frame(h2::kData, h2::kEndStream, 1, body))});
    const WireResponse response = node.Ask(kGet);
    CHECK(response.status == (body.size() == 8 ? 200 : 503));
    CHECK(node.stats().rejected["buffered-bytes"] == body.size() - 8);
  }
}

TEST_CASE("what waits for an HTTP/2 service's window counts: at the bound it waits, one past it is a 503") {
  Node node({.gateway = Gateway("max_buffered_bytes: 8"), .upstream = [](Upstream&, Peer& peer) {
               std::string bytes = h2::Frame(h2::kSettings, 0, 0, std::string("\0\4\0\0\0\0", 6));
               bool first = true;
               while (peer.ReadMore()) {
                 if (first && peer.buffered.size() >= 24) peer.buffered.erase(0, 24), first = false;
                 if (first) continue;
                 for (const auto& frame : h2::TakeFrames(peer.buffered)) {
                   if (frame.type != h2::kHeaders) continue;
                   bytes += h2::Frame(h2::kWindowUpdate, 0, frame.stream, h2::Number(8));
                   bytes += h2::Frame(h2::kHeaders, h2::kEndHeaders | h2::kEndStream, frame.stream, "\x88");
                 }
                 peer.Send(std::exchange(bytes, ""));
               }
             }});
  const auto post = [&](const std::string& body) {
    return node.Ask("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                    body);
  };
  CHECK(node.Ask(kGet).status == 200);
  CHECK(post("12345678").status == 200);
  CHECK(post("123456789").status == 503);
  CHECK(node.stats().rejected["buffered-bytes"] == 1);
  CHECK(node.upstream().connections() == 1);
}

TEST_CASE("an HTTP/2 connection without requests counts as idle") {
  std::promise<void> asked, answer;
  Node node({.gateway = Gateway(), .upstream = Http2Service::Serving({.whole = [&](auto&, Http2Call& call) {
                                     asked.set_value();
                                     answer.get_future().wait();
                                     call.Answer(200);
                                   }})});
  auto client = node.Connect();
  client.Send(kGet);
  asked.get_future().wait();
  CHECK(node.stats().upstream_idle == 0);
  answer.set_value();
  CHECK(client.Read().status == 200);
  CHECK(Eventually([&] { return node.stats().upstream_idle == 1; }));
}
