// Which addresses a configuration may name.

#include "catch2/catch.hpp"
#include "tests/common/config/support.h"

namespace sluice::config {
namespace {

std::string Host(const std::string& host, const std::string& port = "80") {
  return Apply(R"("services":[{"name":"s","host":")" + host + R"(","port":)" + port + "}]").text();
}

TEST_CASE("a service may name public addresses and any name") {
  CHECK(Host("1.1.1.1").empty());
  CHECK(Host("2606:4700:4700::1111").empty());
  CHECK(Host("internal.example").empty());
}

TEST_CASE("a private address is refused with the rule and what an operator can do") {
  const Outcome outcome = Apply(R"("services":[{"name":"s","host":"10.0.0.1"}])");
  CHECK(outcome.text() ==
        "services[0].host: 10.0.0.1:80 may not be reached (private); an operator allows it with --egress-allow "
        "10.0.0.1:80, or with egress_allow in the gateway's plan");
  CHECK(outcome.reason() == "EGRESS_DENIED");
}

TEST_CASE("localhost is the loopback address, in every spelling") {
  for (const char* host : {"localhost", "LOCALHOST", "a.localhost", "localhost.", "127.0.0.1", "::1", "[::1]"}) {
    INFO(host);
    CHECK(Host(host).find("(loopback)") != std::string::npos);
  }
}

TEST_CASE("notations of numbers that resolvers take for addresses are refused") {
  for (const char* host : {"127.1", "0x7f000001", "2130706433", "010.0.0.1"}) {
    INFO(host);
    CHECK(Host(host).find("services[0].host: this notation of an address is not accepted") == 0);
  }
}

TEST_CASE("metadata services cannot be allowed") {
  v1::Plan plan = ServerlessPlan();
  plan.add_egress_allow("169.254.0.0/16");
  const Outcome outcome = Apply(Document(R"("services":[{"name":"s","host":"169.254.169.254"}])"), plan);
  CHECK(outcome.text() == "services[0].host: 169.254.169.254:80 may not be reached (metadata); nobody can allow it");
}

TEST_CASE("plans and operators allow ranges, by port") {
  v1::Plan plan = ServerlessPlan();
  plan.add_egress_allow("127.0.0.1:9000-9001");
  const auto service = [&](const std::string& port) {
    return Apply(Document(R"("services":[{"name":"s","host":"localhost","port":)" + port + "}]"), plan).text();
  };
  CHECK(service("9001").empty());
  CHECK(service("9002").find("(loopback)") != std::string::npos);
  FleetRules rules;
  rules.egress_allow.push_back(*egress::ParseRange("10.0.0.0/8"));
  CHECK(Apply(Document(R"("services":[{"name":"s","host":"10.1.1.1"}])"), ServerlessPlan(), rules).text().empty());
}

TEST_CASE("the platform's own addresses stay denied where they are allowed") {
  FleetRules rules;
  rules.egress_allow.push_back(*egress::ParseRange("127.0.0.0/8"));
  rules.protect.push_back(*egress::ParseRange("127.0.0.1:7001"));
  const Outcome outcome =
      Apply(Document(R"("services":[{"name":"s","host":"127.0.0.1","port":7001}])"), ServerlessPlan(), rules);
  CHECK(outcome.text().find("(platform); nobody can allow it") != std::string::npos);
}

TEST_CASE("a range that cannot be read is named in the plan") {
  v1::Plan plan = ServerlessPlan();
  plan.add_egress_allow("10.0.0.0/99");
  CHECK(Apply(Document(R"("services":[])"), plan).field() == "plan.egress_allow[0]");
}

TEST_CASE("targets are checked, and a service that names an upstream is not") {
  CHECK(
      Apply(
          R"("services":[{"name":"s","host":"u"}],"upstreams":[{"name":"u","targets":[{"target":"192.168.0.1:80"}]}])")
          .field() == "upstreams[0].targets[0].target");
  CHECK(Apply(R"("services":[{"name":"s","host":"localhost"}],"upstreams":[{"name":"localhost"}])").text().empty());
}

TEST_CASE("log servers are checked, and their passwords are not repeated") {
  const Outcome outcome =
      Apply(R"("plugins":[{"name":"http-log","config":{"http_endpoint":"http://u:hush@10.0.0.1/"}}])");
  CHECK(outcome.field() == "plugins[0].config.http_endpoint");
  CHECK(outcome.reason() == "EGRESS_DENIED");
  CHECK(outcome.text().find("hush") == std::string::npos);
}

}  // namespace
}  // namespace sluice::config
