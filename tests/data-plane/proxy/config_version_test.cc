// Which version of its configuration a gateway answered with, for tests that ask.

#include "catch2/catch.hpp"
#include "tests/support/node.h"

namespace sluice::test {
namespace {

NodeOptions Marked(const std::string& response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") {
  NodeOptions options;
  options.gateway = R"(version: 7 hosts: "a.test" routes { paths: "/" })";
  options.upstream = Answering(response);
  options.options.config_version_header = true;
  return options;
}

std::string VersionOf(const WireResponse& response) {
  const auto found = response.fields.find("x-sluice-config-version");
  return found == response.fields.end() ? "" : found->second;
}

TEST_CASE("nothing says which version answered unless it was asked for") {
  NodeOptions options = Marked();
  options.options.config_version_header = false;
  Node node(std::move(options));
  CHECK(VersionOf(node.Ask(kGet)) == "");
}

TEST_CASE("an upstream's answer carries the version, and the next one after a change") {
  Node node(Marked());
  CHECK(VersionOf(node.Ask(kGet)) == "7");
  node.Publish(R"(version: 8 hosts: "a.test" routes { paths: "/" })");
  CHECK(VersionOf(node.Ask(kGet)) == "8");
}

TEST_CASE("what the gateway answers itself carries the version") {
  NodeOptions options = Marked();
  options.gateway = R"(version: 7 hosts: "a.test" routes { paths: "/only" })";
  Node node(std::move(options));
  const WireResponse response = node.Ask(kGet);
  CHECK(response.status == 404);
  CHECK(VersionOf(response) == "7");
}

TEST_CASE("no gateway, no version") {
  Node node(Marked());
  const WireResponse response = node.Ask("GET / HTTP/1.1\r\nHost: b.test\r\n\r\n");
  CHECK(response.status == 404);
  CHECK(VersionOf(response) == "");
}

TEST_CASE("a service cannot claim another version") {
  Node node(Marked("HTTP/1.1 200 OK\r\nX-Sluice-Config-Version: 99\r\nContent-Length: 0\r\n\r\n"));
  CHECK(VersionOf(node.Ask(kGet)) == "7");
}

TEST_CASE("an accepted upgrade carries the version") {
  Node node(Marked("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
  const WireResponse response =
      node.Ask("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  CHECK(response.status == 101);
  CHECK(VersionOf(response) == "7");
}

}  // namespace
}  // namespace sluice::test
