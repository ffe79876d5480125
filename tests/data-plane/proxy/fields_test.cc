// What services and clients get to see of each other's fields.

#include "catch2/catch.hpp"
#include "data-plane/proxy/forward_fields.h"
#include "tests/support/node.h"

using sluice::test::Answering;
using sluice::test::Node;
using sluice::test::WireResponse;

namespace {

bool Has(const std::string& request, const std::string& line) {
  return request.find("\r\n" + line + "\r\n") != std::string::npos;
}

size_t CountOf(const std::string& text, const std::string& word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("a service learns who asks from the gateway alone") {
  Node node;
  node.Ask("GET /p HTTP/1.1\r\nHost: A.test:8000\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\n"
           "Forwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX-Consumer-Id: root\r\nx_consumer_username: root\r\n"
           "X-Credential-Identifier: root\r\nX-Anonymous-Consumer: false\r\nX-Forwarded-Prefix: /admin\r\n\r\n");
  const std::string seen = node.upstream().last();
  CHECK(seen.find("6.6.6.6") == std::string::npos);
  CHECK(seen.find("root") == std::string::npos);
  CHECK(seen.find("/admin") == std::string::npos);
  CHECK(seen.find("Anonymous") == std::string::npos);
  CHECK(Has(seen, "X-Forwarded-For: 127.0.0.1"));
  CHECK(Has(seen, "X-Real-IP: 127.0.0.1"));
  CHECK(Has(seen, "X-Forwarded-Proto: http"));
  CHECK(Has(seen, "X-Forwarded-Host: a.test"));
  CHECK(Has(seen, "X-Forwarded-Path: /p"));
}

TEST_CASE("connection-specific fields and those that Connection names end at the gateway") {
  Node node;
  node.Ask("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, X-Mine\r\nKeep-Alive: 5\r\nX-Mine: 1\r\n"
           "TE: trailers\r\nProxy-Connection: x\r\nProxy: evil\r\nX-Other: 2\r\n\r\n");
  const std::string seen = node.upstream().last();
  for (const char* gone : {"Keep-Alive", "X-Mine", "TE:", "Proxy", "Connection"}) CHECK(CountOf(seen, gone) == 0);
  CHECK(Has(seen, "X-Other: 2"));
}

TEST_CASE("a Connection that names what a service relies on is a 400") {
  Node node;
  for (const char* name : {"X-Forwarded-For", "X-Consumer-Id", "Authorization", "Host", "Content-Length",
                           "Transfer-Encoding", "Cookie", "X_Real_IP"}) {
    INFO(name);
    const std::string head = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close, ";
    CHECK(node.Ask(head + name + "\r\n\r\n").status == 400);
  }
  CHECK(node.upstream().requests() == 0);
  CHECK(node.stats().rejected["connection-names-protected"] == 8);
}

TEST_CASE("a service's Connection takes neither cookies nor the framing from its answer") {
  Node node({.upstream = Answering("HTTP/1.1 200 OK\r\nConnection: Set-Cookie, Content-Length, Content-Type, X-Hop\r\n"
                                   "Set-Cookie: a=b\r\nContent-Type: text/x\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\n"
                                   "ok")});
  WireResponse response = node.Ask("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(response.body == "ok");
  CHECK(response.fields["content-length"] == "2");
  CHECK(response.fields["set-cookie"] == "a=b");
  CHECK(response.fields["content-type"] == "text/x");
  CHECK_FALSE(response.fields.contains("x-hop"));
}

TEST_CASE("the client learns of the gateway, and nothing of the upstream's connection") {
  Node node({.upstream = Answering("HTTP/1.1 200 OK\r\nServer: origin\r\nConnection: X-Hop\r\nX-Hop: 1\r\n"
                                   "Keep-Alive: 5\r\n"
                                   "X-Kong-Request-Id: forged\r\nVia: 1.0 inner\r\nContent-Length: 0\r\n\r\n")});
  WireResponse response = node.Ask("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(response.fields["via"] == "1.0 inner, 1.1 sluice");
  CHECK(response.fields["server"] == "origin");
  CHECK(response.fields["x-kong-request-id"].size() == 32);
  CHECK(response.fields.contains("x-kong-upstream-latency"));
  CHECK(response.fields.contains("x-kong-proxy-latency"));
  CHECK_FALSE(response.fields.contains("x-hop"));
  CHECK_FALSE(response.fields.contains("keep-alive"));
}

TEST_CASE("strip_path takes the matched prefix away and names it") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/api" })"});
  node.Ask("GET /api/users?q HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(node.upstream().last().starts_with("GET /users?q HTTP/1.1\r\n"));
  CHECK(Has(node.upstream().last(), "X-Forwarded-Prefix: /api"));
}

TEST_CASE("a route that does not strip forwards the whole path") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/api" strip_path: false })"});
  node.Ask("GET /api/users? HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(node.upstream().last().starts_with("GET /api/users? HTTP/1.1\r\n"));
  CHECK(node.upstream().last().find("X-Forwarded-Prefix") == std::string::npos);
}

TEST_CASE("preserve_host forwards the client's Host") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/" preserve_host: true })"});
  node.Ask("GET / HTTP/1.1\r\nHost: a.test:8000\r\n\r\n");
  CHECK(Has(node.upstream().last(), "Host: a.test:8000"));
}

TEST_CASE("an upstream's host_header is its Host") {
  Node node({.gateway = R"(hosts: "a.test" services { name: "s" host: "u" } routes { paths: "/" }
                           upstreams { name: "u" host_header: "inner.test" }
                           targets { upstream: "u" target: "127.0.0.1:UPSTREAM_PORT" })"});
  node.Ask("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(Has(node.upstream().last(), "Host: inner.test"));
}

TEST_CASE("a request may pass through three times and no more") {
  Node node;
  const std::string head = "GET / HTTP/1.1\r\nHost: a.test\r\nVia: 1.1 sluice, 1.1 sluice, 1.1 sluice";
  CHECK(node.Ask(head + "\r\n\r\n").status == 200);
  CHECK(Has(node.upstream().last(), "Via: 1.1 sluice, 1.1 sluice, 1.1 sluice, 1.1 sluice"));
  CHECK(node.Ask(head + ", 1.1 sluice\r\n\r\n").status == 508);
  CHECK(node.Ask(head + "\r\nVia: 2 sluice\r\n\r\n").status == 508);
  CHECK(node.stats().rejected["loop"] == 2);
}

TEST_CASE("a gateway whose service is itself ends the loop with a 508") {
  Node node;
  const std::string port = std::to_string(node.group().http_port());
  node.Publish(R"(id: "33333333-3333-4333-8333-333333333333" hosts: "loop.test" plan { egress_allow: "127.0.0.1:)" +
               port + R"(" } services { name: "self" host: "127.0.0.1" port: )" + port +
               R"( } routes { paths: "/" preserve_host: true })");
  CHECK(node.Connect().Get("loop.test", "/").status == 508);
  CHECK(node.stats().rejected["loop"] == 1);
  CHECK(node.stats().upstream_opened == 4);
}

TEST_CASE("identity fields are known by any case and with underscores") {
  for (const char* name : {"X-Forwarded-For", "x_forwarded_host", "FORWARDED", "X-Real_IP", "x-consumer-custom-id",
                           "X-Credential-Identifier", "X-Anonymous-Consumer", "X-Authenticated-Scope",
                           "X-Kong-Anything"}) {
    CHECK(sluice::proxy::IsIdentityField(name));
  }
  for (const char* name : {"X-Forward", "X-Request-Id", "Authorization", "X", "", "Forwarded-For"}) {
    CHECK_FALSE(sluice::proxy::IsIdentityField(name));
  }
}
