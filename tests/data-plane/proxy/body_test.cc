// Request bodies on the wire: framing both ways, limits, early answers.

#include <future>
#include <map>

#include "catch2/catch.hpp"
#include "tests/support/node.h"

using sluice::test::Answering;
using sluice::test::Eventually;
using sluice::test::Node;
using sluice::test::NodeOptions;
using sluice::test::WireResponse;
using namespace std::chrono_literals;

namespace {

constexpr const char* kFiveBytes = R"(hosts: "a.test" plan { max_body_bytes: 5 } routes { paths: "/" })";

}  // namespace

TEST_CASE("a body with a length goes upstream with that length") {
  Node node;
  CHECK(node.Ask("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello").status == 200);
  CHECK(node.upstream().last().find("\r\nContent-Length: 5\r\n") != std::string::npos);
  CHECK(node.upstream().last().ends_with("\r\n\r\nhello"));
}

TEST_CASE("a chunked body goes upstream chunked, without extensions and trailers") {
  Node node;
  auto response = node.Ask(
      "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX-Forwarded-Prefix: /admin\r\n\r\n");
  CHECK(response.status == 200);
  CHECK(node.upstream().last().ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
}

TEST_CASE("a body that comes after its head is carried on") {
  Node node;
  auto client = node.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 200000\r\n\r\n");
  client.Send(std::string(200'000, 'x'));
  CHECK(client.Read().status == 200);
  CHECK(node.upstream().last().ends_with(std::string(200'000, 'x')));
  CHECK(client.Get("a.test", "/").status == 200);
  CHECK(node.upstream().connections() == 1);
}

TEST_CASE("a chunked response reaches the client chunked") {
  Node node({.upstream = Answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")});
  auto client = node.Connect();
  WireResponse response = client.Get("a.test", "/");
  CHECK(response.fields["transfer-encoding"] == "chunked");
  CHECK(response.body == "abcde");
  CHECK(client.Get("a.test", "/").body == "abcde");
  CHECK(node.upstream().connections() == 1);
}

TEST_CASE("a response until the close reaches the client chunked") {
  Node node({.upstream = [](auto&, auto& peer) {
    peer.ReadRequest();
    peer.Send("HTTP/1.1 200 OK\r\n\r\nall of it");
  }});
  auto client = node.Connect();
  CHECK(client.Get("a.test", "/").body == "all of it");
  CHECK(client.Get("a.test", "/").body == "all of it");
  CHECK(node.upstream().connections() == 2);
}

TEST_CASE("a declared length at the limit passes and one past it is refused before the body") {
  Node node({.gateway = kFiveBytes});
  CHECK(node.Ask("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello").status == 200);
  WireResponse response = node.Ask("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 6\r\n\r\n");
  CHECK(response.status == 413);
  CHECK(response.body.find("Request size limit exceeded") != std::string::npos);
  CHECK(node.upstream().requests() == 1);
}

TEST_CASE("a chunked body at the limit passes and one past it is refused") {
  Node node({.gateway = kFiveBytes});
  const std::string head = "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(node.Ask(head + "5\r\nhello\r\n0\r\n\r\n").status == 200);
  CHECK(node.Ask(head + "6\r\nhello!\r\n0\r\n\r\n").status == 413);
  CHECK(node.upstream().requests() == 1);
}

TEST_CASE("a body that turns out too long on the way never reaches the upstream whole") {
  std::promise<std::string> seen;
  Node node({.gateway = kFiveBytes, .upstream = [&](auto&, auto& peer) {
    const std::string head = peer.ReadHead();
    if (head.empty()) return;
    peer.WaitForClose();
    seen.set_value(peer.buffered);
  }});
  auto client = node.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  REQUIRE(Eventually([&] { return node.upstream().connections() > 0; }));
  client.Send("3\r\ndef\r\n0\r\n\r\n");
  CHECK(client.Read().status == 413);
  CHECK(seen.get_future().get().find("0\r\n\r\n") == std::string::npos);
}

TEST_CASE("chunks that are none are a 400 and end the connection") {
  Node node;
  auto client = node.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");
  CHECK(client.Read().status == 400);
  CHECK(client.Closed());
  CHECK(node.stats().rejected["body-framing"] == 1);
}

TEST_CASE("chunk extensions, sizes and trailers at their limits pass, and one byte more is a 400") {
  const auto status = [](Node& node, const std::string& body) {
    return node.Ask("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n" + body).status;
  };
  Node node;
  const std::string extension = ";" + std::string(4095, 'x');
  CHECK(status(node, "1" + extension + "\r\na\r\n0\r\n\r\n") == 200);
  CHECK(status(node, "1" + extension + "x\r\na\r\n0\r\n\r\n") == 400);
  CHECK(status(node, "0000000000000001\r\na\r\n0\r\n\r\n") == 200);
  CHECK(status(node, "00000000000000001\r\na\r\n0\r\n\r\n") == 400);
  CHECK(status(node, "0\r\nX:" + std::string(8186, 'v') + "\r\n\r\n") == 200);
  CHECK(status(node, "0\r\nX:" + std::string(8187, 'v') + "\r\n\r\n") == 400);
  CHECK(node.stats().rejected["body-framing"] == 3);
}

TEST_CASE("100-continue is answered when the body is wanted") {
  Node node;
  auto client = node.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.Read().status == 100);
  client.Send("hi");
  CHECK(client.Read().status == 200);
  CHECK(node.upstream().last().find("Expect") == std::string::npos);
}

TEST_CASE("100-continue is not answered for a body that nobody wants") {
  Node node({.gateway = kFiveBytes});
  auto client = node.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.Read().status == 413);
  CHECK(client.Closed());
}

TEST_CASE("a small body that nobody wants is read away and the next request is served") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/b" })"});
  auto client = node.Connect();
  client.Send("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 65536\r\n\r\n");
  client.Send(std::string(65'536, 'G'));
  CHECK(client.Read().status == 404);
  CHECK(client.Get("a.test", "/b").status == 200);
}

TEST_CASE("a large body that nobody wants ends the connection and is never taken for a request") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/b" })"});
  auto client = node.Connect();
  client.Send("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 65537\r\n\r\n"
              "GET /b HTTP/1.1\r\nHost: a.test\r\n\r\n");
  WireResponse response = client.Read();
  CHECK(response.status == 404);
  CHECK(response.fields["connection"] == "close");
  CHECK(client.Closed());
  CHECK(node.upstream().requests() == 0);
}

TEST_CASE("what follows an early refusal is no request until the refused body is read away, whoever refuses") {
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n";
  Node node({.gateway = R"(hosts: "a.test" plan { max_body_bytes: 6000000 }
    routes { name: "open" paths: "/smuggled" paths: "/b" strip_path: false }
    routes { name: "key" paths: "/key" } plugins { name: "key-auth" route: "key" }
    routes { name: "end" paths: "/end" } plugins { name: "request-termination" route: "end" }
    routes { name: "tls" paths: "/tls" protocols: "https" https_redirect_status_code: 301 })"});
  const std::map<std::string, int> refusals = {{"/none", 404}, {"/key", 401}, {"/end", 503}, {"/tls", 301}};
  for (const auto& [path, status] : refusals) {
    INFO(path);
    const std::string head = "POST " + path + " HTTP/1.1\r\nHost: a.test\r\n";
    auto drained = node.Connect();
    drained.Send(head + "Content-Length: " + std::to_string(smuggled.size()) + "\r\n\r\n" + smuggled);
    CHECK(drained.Read().status == status);
    CHECK(drained.Get("a.test", "/b").status == 200);
    for (const char* framing : {"Content-Length: 5000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nfff\r\n"}) {
      auto closed = node.Connect();
      closed.Send(head + framing + smuggled);
      WireResponse response = closed.Read();
      CHECK(response.status == status);
      CHECK(response.fields["connection"] == "close");
      CHECK(closed.Closed());
    }
  }
  for (int i = 0; i < node.upstream().requests(); ++i) CHECK(node.upstream().request(i).starts_with("GET /b "));
}

TEST_CASE("the body of a request beyond the gateway's rate is never taken for a request") {
  Node node({.gateway = R"(hosts: "a.test" plan { requests_per_second: 1 } routes { paths: "/" })"});
  const std::string post = "POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 42\r\n\r\n";
  auto client = node.Connect();
  for (int i = 0; i < 3; ++i) client.Send(post + "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n--");
  CHECK(client.Read().status == 200);
  for (int i = 0; i < 2; ++i) {
    const int status = client.Read().status;
    CHECK((status == 200 || status == 429));
  }
  for (int i = 0; i < node.upstream().requests(); ++i) CHECK(node.upstream().request(i).starts_with("POST /a "));
}

TEST_CASE("an answer before the body's end is passed on, and neither connection is used again") {
  Node node({.upstream = [](auto&, auto& peer) {
    if (peer.ReadHead().empty()) return;
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly");
    peer.WaitForClose();
  }});
  auto client = node.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5000000\r\n\r\nsome");
  WireResponse response = client.Read();
  CHECK(response.body == "early");
  CHECK(response.fields["connection"] == "close");
  CHECK(client.Closed());
  CHECK(node.Ask("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").body == "early");
  CHECK(node.upstream().connections() == 2);
}

TEST_CASE("a client that leaves in the middle of its body takes the upstream's connection with it") {
  std::promise<bool> closed;
  Node node({.upstream = [&](auto&, auto& peer) {
    if (!peer.ReadHead().empty()) closed.set_value(peer.WaitForClose());
  }});
  {
    auto client = node.Connect();
    client.Send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\nhalf");
    REQUIRE(Eventually([&] { return node.upstream().connections() > 0; }));
  }
  CHECK(closed.get_future().get());
}

TEST_CASE("a body below the minimum rate is a 408") {
  NodeOptions options;
  options.options.times.body_rate_window = 100ms;
  Node node(std::move(options));
  auto client = node.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\nslow");
  CHECK(client.Read().status == 408);
  CHECK(client.Closed());
  CHECK(node.stats().rejected["body-rate"] == 1);
}
