// The life of one request, on the wire.

#include "catch2/catch.hpp"
#include "tests/support/node.h"

using sluice::test::Answering;
using sluice::test::Node;
using sluice::test::WireResponse;

TEST_CASE("a request goes to the service and its answer comes back") {
  Node node;
  auto client = node.Connect();
  WireResponse response = client.Get("a.test", "/x?q=1");
  CHECK(response.status == 200);
  CHECK(response.body == "ok");
  CHECK(node.upstream().last().starts_with("GET /x?q=1 HTTP/1.1\r\nHost: 127.0.0.1:"));
}

TEST_CASE("a host that no gateway has is a 404 once the node is ready") {
  Node node;
  WireResponse response = node.Ask("GET / HTTP/1.1\r\nHost: b.test\r\n\r\n");
  CHECK(response.status == 404);
  CHECK(response.body.starts_with("{\n  \"message\":\"no Route matched with those values\",\n  \"request_id\":\""));
  CHECK(response.fields["server"] == "sluice");
  CHECK(response.fields["x-kong-request-id"].size() == 32);
}

TEST_CASE("a host that no gateway has is a 503 before the node is ready") {
  Node node({.ready = false});
  CHECK(node.Ask("GET / HTTP/1.1\r\nHost: b.test\r\n\r\n").status == 503);
}

TEST_CASE("a path that no route has is a 404") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/only" })"});
  CHECK(node.Ask("GET /other HTTP/1.1\r\nHost: a.test\r\n\r\n").status == 404);
  CHECK(node.upstream().requests() == 0);
}

TEST_CASE("a host that is none is a 400") {
  Node node;
  CHECK(node.Ask("GET / HTTP/1.1\r\nHost: a test\r\n\r\n").status == 400);
}

TEST_CASE("a connection carries request after request") {
  Node node;
  auto client = node.Connect();
  CHECK(client.Get("a.test", "/1").status == 200);
  CHECK(client.Get("a.test", "/2").status == 200);
  CHECK(node.upstream().requests() == 2);
  CHECK(node.upstream().connections() == 1);
}

TEST_CASE("requests sent in one piece are answered in their order") {
  Node node({.upstream = [](auto& upstream, auto& peer) {
    for (std::string request = peer.ReadRequest(); !request.empty(); request = peer.ReadRequest()) {
      upstream.Record(request);
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + request.substr(4, 2));
    }
  }});
  auto client = node.Connect();
  client.Send("GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(client.Read().body == "/1");
  CHECK(client.Read().body == "/2");
}

TEST_CASE("a client that asks for the close gets it") {
  Node node;
  auto client = node.Connect();
  WireResponse response = client.Get("a.test", "/", "Connection: close\r\n");
  CHECK(response.fields["connection"] == "close");
  CHECK(client.Closed());
}

TEST_CASE("an HTTP/1.0 client gets the close, and no chunks") {
  Node node({.upstream = Answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")});
  WireResponse response = node.Ask("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n");
  CHECK(response.body == "ok");
  CHECK(response.fields["connection"] == "close");
  CHECK_FALSE(response.fields.contains("transfer-encoding"));
}

TEST_CASE("HEAD is answered with GET's length and no body") {
  Node node({.upstream = Answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")});
  auto client = node.Connect();
  client.Send("HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(client.Read(true).fields["content-length"] == "5");
  client.Send("HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(client.Read(true).status == 200);
  CHECK(node.upstream().connections() == 1);
}

TEST_CASE("204 and 304 have neither body nor length") {
  for (const char* status : {"204 No Content", "304 Not Modified"}) {
    Node node({.upstream = Answering("HTTP/1.1 " + std::string(status) + "\r\n\r\n")});
    auto client = node.Connect();
    WireResponse response = client.Get("a.test", "/");
    CHECK(response.head.starts_with("HTTP/1.1 " + std::string(status)));
    CHECK_FALSE(response.fields.contains("content-length"));
    CHECK(client.Get("a.test", "/").status == response.status);
  }
}

TEST_CASE("an HTTPS-only route says so to plain HTTP") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/" protocols: "https" })"});
  WireResponse response = node.Ask("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(response.status == 426);
  CHECK(response.fields["upgrade"] == "TLS/1.2, HTTP/1.1");
  CHECK(response.fields["connection"] == "keep-alive, Upgrade");
}

TEST_CASE("an HTTPS-only route redirects where it is told to") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/" protocols: "https" https_redirect_status_code: 301 })"});
  WireResponse response = node.Ask("GET /p?q HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(response.status == 301);
  CHECK(response.fields["location"] == "https://a.test/p?q");
}

TEST_CASE("a change of the configuration reaches the next request") {
  Node node({.gateway = R"(id: "11111111-1111-4111-8111-111111111111" hosts: "a.test" routes { paths: "/old" })"});
  auto client = node.Connect();
  CHECK(client.Get("a.test", "/new").status == 404);
  node.Publish(R"(id: "11111111-1111-4111-8111-111111111111" hosts: "a.test" routes { paths: "/new" })");
  CHECK(client.Get("a.test", "/new").status == 200);
  node.Remove("11111111-1111-4111-8111-111111111111");
  CHECK(client.Get("a.test", "/new").status == 404);
}
