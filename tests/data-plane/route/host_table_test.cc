#include "catch2/catch.hpp"
#include "common/config/config.h"
#include "data-plane/route/gateway.h"

namespace sluice {
namespace {

std::shared_ptr<const Gateway> Make(const std::string& id, std::initializer_list<const char*> hosts) {
  config::v1::GatewayConfig config;
  config.set_id(id);
  config.set_name(id);
  config.set_version(1);
  *config.mutable_plan() = config::ServerlessPlan();
  for (const char* host : hosts) config.add_hosts(host);
  auto gateway = Gateway::Compile(config, {}, {}, nullptr);
  if (!gateway.ok()) FAIL(gateway.status().ToString());
  return *gateway;
}

TEST_CASE("a gateway is found by each of its hosts") {
  HostTable table;
  auto gateway = Make("one", {"a.test", "b.test"});
  table.Put(gateway);
  CHECK(table.Find("a.test") == gateway);
  CHECK(table.Find("b.test") == gateway);
  CHECK(table.Find("c.test") == nullptr);
  CHECK(table.size() == 1);
}

TEST_CASE("a new version takes the place of the old one, hosts included") {
  HostTable table;
  table.Put(Make("one", {"a.test", "b.test"}));
  auto next = Make("one", {"b.test", "c.test"});
  table.Put(next);
  CHECK(table.Find("a.test") == nullptr);
  CHECK(table.Find("b.test") == next);
  CHECK(table.Find("c.test") == next);
  CHECK(table.size() == 1);
}

TEST_CASE("a host that moves to another gateway stays there when the first lets go") {
  HostTable table;
  table.Put(Make("one", {"a.test"}));
  auto two = Make("two", {"a.test"});
  table.Put(two);
  table.Put(Make("one", {"x.test"}));
  CHECK(table.Find("a.test") == two);
  table.Remove("one");
  CHECK(table.Find("a.test") == two);
  table.Remove("two");
  CHECK(table.Find("a.test") == nullptr);
  CHECK(table.size() == 0);
}

TEST_CASE("a gateway that is known by its head has its hosts, and is not served") {
  HostTable table;
  auto gateway = Make("one", {"a.test"});
  table.Put(gateway);
  CHECK(table.Put(std::make_shared<const GatewayHead>("one", std::vector<std::string>{"b.test"})) == gateway);
  CHECK(table.FindHead("b.test")->id() == "one");
  CHECK(table.Find("b.test") == nullptr);
  CHECK(table.FindHead("a.test") == nullptr);
  CHECK(table.Identify("b.test").owner == "one");
  CHECK(table.size() == 1);
  CHECK(table.loaded() == 0);
}

}  // namespace
}  // namespace sluice
