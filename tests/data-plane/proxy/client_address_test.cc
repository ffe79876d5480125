// Whose request it is, where load balancers and proxies stand before the gateway.

#include "catch2/catch.hpp"
#include "tests/support/node.h"

using sluice::proxy::ClientAddressField;
using sluice::test::kGet;
using sluice::test::Node;
using sluice::test::NodeOptions;
using sluice::test::WireResponse;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

constexpr const char* kLine = "PROXY TCP4 192.0.2.7 10.0.0.2 40000 8443\r\n";

std::vector<sluice::egress::Range> Ranges(std::vector<std::string> texts) {
  std::vector<sluice::egress::Range> ranges;
  for (const std::string& text : texts) ranges.push_back(*sluice::egress::ParseNetwork(text));
  return ranges;
}

NodeOptions Trusting(std::vector<std::string> networks) {
  NodeOptions options;
  options.options.trusted_proxies = Ranges(std::move(networks));
  return options;
}

NodeOptions Proxied(std::vector<std::string> networks) {
  NodeOptions options;
  options.options.proxy_protocol_from = Ranges(std::move(networks));
  return options;
}

// What the service sees of a request with these fields.
std::string Seen(Node& node, const std::string& fields) {
  node.Ask("GET / HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\n");
  return node.upstream().last();
}

bool Has(const std::string& request, const std::string& line) {
  return request.find("\r\n" + line + "\r\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a load balancer's header names the client, in both versions") {
  Node node(Proxied({"127.0.0.0/8"}));
  CHECK(node.Ask(std::string(kLine) + kGet).status == 200);
  CHECK(Has(node.upstream().last(), "X-Forwarded-For: 192.0.2.7"));
  CHECK(Has(node.upstream().last(), "X-Forwarded-Port: 8443"));
  const std::string binary = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x08\x0a\0\0\x02\x30\x39\x01\xbb"s;
  CHECK(node.Ask(binary + kGet).status == 200);
  CHECK(Has(node.upstream().last(), "X-Real-IP: 192.0.2.8"));
}

TEST_CASE("a load balancer's own check of health is served under its own address") {
  Node node(Proxied({"127.0.0.1"}));
  CHECK(node.Ask("PROXY UNKNOWN\r\n"s + kGet).status == 200);
  CHECK(Has(node.upstream().last(), "X-Real-IP: 127.0.0.1"));
}

TEST_CASE("a load balancer without its header is closed and counted") {
  Node node(Proxied({"127.0.0.1"}));
  auto client = node.Connect();
  client.Send(kGet);
  CHECK(client.Closed());
  CHECK(node.stats().connections_refused_proxy_header == 1);
  CHECK(node.upstream().requests() == 0);
}

TEST_CASE("a header that does not come in time ends the connection") {
  NodeOptions options = Proxied({"127.0.0.1"});
  options.options.times.head_read = 50ms;
  Node node(std::move(options));
  auto client = node.Connect();
  client.Send("PROXY TCP4 192.0");
  CHECK(client.Closed());
  CHECK(node.stats().connections_refused_proxy_header == 1);
}

TEST_CASE("anybody else's header is a bad request") {
  Node node(Proxied({"192.0.2.0/24"}));
  CHECK(node.Ask(std::string(kLine) + kGet).status == 400);
  CHECK(node.upstream().requests() == 0);
}

TEST_CASE("connections behind a load balancer are counted for the client that it names") {
  NodeOptions options = Proxied({"127.0.0.1"});
  options.options.max_connections_per_address = 1;
  Node node(std::move(options));
  auto first = node.Connect();
  first.Send(std::string(kLine) + kGet);
  CHECK(first.Read().status == 200);
  auto second = node.Connect();
  second.Send(std::string(kLine) + kGet);
  CHECK(second.Closed());
  CHECK(node.stats().connections_refused_address == 1);
  CHECK(node.Ask("PROXY TCP4 192.0.2.9 10.0.0.2 40000 8443\r\n"s + kGet).status == 200);
}

TEST_CASE("X-Forwarded-For counts from trusted addresses only, and private ones are not by themselves") {
  Node node;
  CHECK(Has(Seen(node, "X-Forwarded-For: 192.0.2.7\r\n"), "X-Forwarded-For: 127.0.0.1"));
  Node trusting(Trusting({"127.0.0.0/8"}));
  const std::string seen = Seen(trusting, "X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n");
  CHECK(Has(seen, "X-Forwarded-For: 6.6.6.6, 192.0.2.7, 127.0.0.1"));
  CHECK(Has(seen, "X-Real-IP: 192.0.2.7"));
}

TEST_CASE("the client is the first address that is not trusted, or else the farthest") {
  Node node(Trusting({"127.0.0.1", "10.0.0.0/8", "2001:db8::/32"}));
  CHECK(Has(Seen(node, "X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.1.1.1, 2001:db8::9\r\n"), "X-Real-IP: 192.0.2.7"));
  CHECK(Has(Seen(node, "X-Forwarded-For: 10.2.2.2, 10.1.1.1\r\n"), "X-Real-IP: 10.2.2.2"));
  CHECK(Has(Seen(node, "X-Forwarded-For: 6.6.6.6, unknown, 10.1.1.1\r\n"), "X-Real-IP: 10.1.1.1"));
  CHECK(Has(Seen(node, "X-Forwarded-For: 192.0.2.7, junk\r\n"), "X-Real-IP: 127.0.0.1"));
}

TEST_CASE("one field alone tells the client's address") {
  Node node(Trusting({"127.0.0.1"}));
  CHECK(Has(Seen(node, "Forwarded: for=192.0.2.7\r\n"), "X-Real-IP: 127.0.0.1"));
  NodeOptions options = Trusting({"127.0.0.1"});
  options.options.client_address_field = ClientAddressField::kForwarded;
  Node other(std::move(options));
  const std::string seen = Seen(other, "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=\"[2001:db8::7]:80\"\r\n");
  CHECK(Has(seen, "X-Forwarded-For: 2001:db8::7, 127.0.0.1"));
  CHECK(seen.find("\r\nForwarded:") == std::string::npos);
  CHECK(other.Ask("GET / HTTP/1.1\r\nHost: a.test\r\nForwarded: for=\"\r\n\r\n").status == 400);
}

TEST_CASE("what a trusted proxy says of the request is kept, and from others it is replaced") {
  const std::string said =
      "X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example:81\r\nX-Forwarded-Port: 444\r\n"
      "X-Forwarded-Path: /all/p\r\nX-Forwarded-Prefix: /all\r\n";
  Node node(Trusting({"127.0.0.1"}));
  const std::string kept = Seen(node, said);
  for (const char* line : {"X-Forwarded-Proto: https", "X-Forwarded-Host: shop.example:81", "X-Forwarded-Port: 444",
                           "X-Forwarded-Path: /all/p", "X-Forwarded-Prefix: /all"}) {
    INFO(line);
    CHECK(Has(kept, line));
  }
  Node strict(Trusting({"192.0.2.1"}));
  const std::string replaced = Seen(strict, said);
  CHECK(Has(replaced, "X-Forwarded-Proto: http"));
  CHECK(Has(replaced, "X-Forwarded-Host: a.test"));
  CHECK(Has(replaced, "X-Forwarded-Path: /"));
  CHECK(replaced.find("X-Forwarded-Prefix") == std::string::npos);
}

TEST_CASE("what no proxy would say is replaced even where it is trusted") {
  Node node(Trusting({"127.0.0.1"}));
  const std::string seen = Seen(node,
                                "X-Forwarded-Proto: gopher\r\nX-Forwarded-Host: a b\r\nX-Forwarded-Port: 0\r\n"
                                "X-Forwarded-Path: p\r\nX-Forwarded-Prefix: /x\r\nX-Forwarded-Prefix: /y\r\n");
  CHECK(Has(seen, "X-Forwarded-Proto: http"));
  CHECK(Has(seen, "X-Forwarded-Host: a.test"));
  CHECK(Has(seen, "X-Forwarded-Path: /"));
  CHECK(seen.find("X-Forwarded-Port: 0\r\n") == std::string::npos);
  CHECK(seen.find("X-Forwarded-Prefix") == std::string::npos);
}

TEST_CASE("a route for https alone takes a request that came over TLS to a trusted proxy") {
  NodeOptions options = Trusting({"127.0.0.1"});
  options.gateway = R"(hosts: "a.test" routes { paths: "/" protocols: "https" })";
  Node node(std::move(options));
  CHECK(node.Connect().Get("a.test", "/").status == 426);
  CHECK(node.Connect().Get("a.test", "/", "X-Forwarded-Proto: https\r\n").status == 200);
}

TEST_CASE("plugins judge the client behind the proxy") {
  NodeOptions options = Trusting({"127.0.0.1"});
  options.gateway = R"(hosts: "a.test" routes { paths: "/" } plugins { name: "ip-restriction" config {
    fields { key: "deny" value { list_value { values { string_value: "192.0.2.0/24" } } } } } })";
  Node node(std::move(options));
  CHECK(node.Connect().Get("a.test", "/", "X-Forwarded-For: 192.0.2.7\r\n").status == 403);
  CHECK(node.Connect().Get("a.test", "/", "X-Forwarded-For: 198.51.100.7\r\n").status == 200);
}
