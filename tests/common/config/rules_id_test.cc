#include "catch2/catch.hpp"
#include "common/config/config.h"

namespace sluice::config {
namespace {

FleetRules Rules(std::vector<std::string> allow, std::vector<std::string> protect) {
  FleetRules rules;
  for (const std::string& text : allow) rules.egress_allow.push_back(*egress::ParseRange(text));
  for (const std::string& text : protect) rules.protect.push_back(*egress::ParseRange(text));
  return rules;
}

TEST_CASE("the same build with the same rules has the same id") {
  CHECK(RulesId("1", {}) == RulesId("1", {}));
  const FleetRules one = Rules({"10.0.0.0/8"}, {"10.1.0.1:80"}), same = Rules({"10.0.0.0/8"}, {"10.1.0.1:80-80"});
  CHECK(RulesId("1", one) == RulesId("1", same));
  CHECK(RulesId("0.1.0", {}).size() == std::string("0.1.0-0123456789abcdef").size());
}

TEST_CASE("another build, range, port or list has another one") {
  const std::string id = RulesId("1", Rules({"10.0.0.0/8"}, {}));
  CHECK(id != RulesId("2", Rules({"10.0.0.0/8"}, {})));
  CHECK(id != RulesId("1", Rules({}, {"10.0.0.0/8"})));
  CHECK(id != RulesId("1", Rules({"10.0.0.0/9"}, {})));
  CHECK(id != RulesId("1", Rules({"10.0.0.0/8:80"}, {})));
  CHECK(id != RulesId("1", Rules({"10.0.0.0/8", "11.0.0.0/8"}, {})));
}

}  // namespace
}  // namespace sluice::config
