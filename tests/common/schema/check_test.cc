#include "catch2/catch.hpp"
#include "common/schema/format.h"
#include "sluice/plugins/v1/rate_limiting.pb.h"
#include "tests/common/schema/support.h"

namespace sluice::schema {
namespace {

using config::v1::KeyAuthCredential;
using config::v1::Plugin;
using config::v1::Route;
using config::v1::Service;
using config::v1::Target;
using config::v1::Upstream;
using plugins::v1::RateLimiting;

std::string Reason(const Violations& violations) {
  REQUIRE(violations.total() == 1);
  return violations.list()[0].reason;
}

TEST_CASE("a required field that is absent is named") {
  CHECK(Refused<Service>("{}") == "host: required field missing");
}

TEST_CASE("numbers are held to their bounds, inclusively") {
  CHECK(Refused<Target>(R"({"upstream":"u","target":"a","weight":65535})").empty());
  CHECK(Refused<Target>(R"({"upstream":"u","target":"a","weight":65536})") ==
        "weight: value should be between 0 and 65535");
  CHECK(Refused<Target>(R"({"upstream":"u","target":"a","weight":-1})") ==
        "weight: value should be between 0 and 65535");
}

TEST_CASE("strings are held to their lengths, inclusively") {
  const std::string most(256, 'n');
  CHECK(Refused<Route>(R"({"name":")" + most + R"("})").empty());
  CHECK(Refused<Route>(R"({"name":")" + most + R"(n"})") == "name: length must be at most 256");
}

TEST_CASE("a string without a bound of its own has the engine's") {
  const std::string most(kMaxStringBytes, 'x');
  CHECK(Refused<Route>(R"({"headers":{"x":[")" + most + R"("]}})").empty());
  Route route;
  (*route.mutable_headers())["x"].add_values(most + "x");
  Violations violations;
  Check(route, "", false, violations);
  CHECK(Text(violations) == "headers.x[0]: length must be at most 65536");
}

TEST_CASE("lists are held to their counts, inclusively") {
  Route route;
  for (int i = 0; i < 256; ++i) route.add_paths("/p" + std::to_string(i));
  Violations good, bad;
  Check(route, "", false, good);
  CHECK(good.empty());
  route.add_paths("/one-more");
  Check(route, "", false, bad);
  CHECK(Text(bad) == "paths: has 257 items, at most 256 are allowed");
}

TEST_CASE("a list without a bound of its own has the engine's") {
  Plugin plugin;
  plugin.set_name("p");
  auto& list = *(*plugin.mutable_config()->mutable_fields())["l"].mutable_list_value();
  for (size_t i = 0; i < kMaxItems; ++i) list.add_values()->set_bool_value(true);
  Violations good, bad;
  Check(plugin, "", false, good);
  CHECK(good.empty());
  list.add_values()->set_bool_value(true);
  Check(plugin, "", false, bad);
  CHECK(Text(bad) == "config.l: has 10001 items, at most 10000 are allowed");
}

TEST_CASE("a value outside of the allowed ones is refused with their list") {
  CHECK(Refused<Route>(R"({"path_handling":"v2"})") == "path_handling: expected one of: v0, v1");
  CHECK(Refused<Route>(R"({"https_redirect_status_code":303})") ==
        "https_redirect_status_code: expected one of: 426, 301, 302, 307, 308");
}

TEST_CASE("a value that a set has twice is refused at its second place") {
  CHECK(Refused<Route>(R"({"methods":["GET","PUT","GET"]})") ==
        "methods[2]: is in the list before; values must be unique");
}

TEST_CASE("what is not supported yet is refused, its default is not") {
  CHECK(Refused<Upstream>(R"({"name":"u","use_srv_name":false})").empty());
  CHECK(Refused<Upstream>(R"({"name":"u","use_srv_name":true})") ==
        "use_srv_name: SRV records are not supported yet; name hosts and ports as targets");
  Violations violations;
  Check(Read<Upstream>(R"({"name":"u","use_srv_name":true})"), "", false, violations);
  CHECK(Reason(violations) == "NOT_YET_SUPPORTED");
}

TEST_CASE("a nonsensical value is called that, not unsupported") {
  CHECK(Refused<Upstream>(R"({"name":"u","algorithm":"best"})") ==
        "algorithm: expected one of: round-robin, consistent-hashing, least-connections, latency");
}

TEST_CASE("a restricted value carries the restriction's reason, and only with restrictions") {
  const auto config = Read<RateLimiting>(R"({"second":1,"policy":"redis"})");
  Violations restricted, free;
  Check(config, "", true, restricted);
  CHECK(Reason(restricted) == "NOT_ON_SERVERLESS");
  Check(config, "", false, free);
  CHECK(Reason(free) == "NOT_YET_SUPPORTED");
}

TEST_CASE("a secret's value is never repeated") {
  const std::string text = Refused<KeyAuthCredential>(R"({"consumer":"c","key":")" + std::string(513, 'k') + R"("})");
  CHECK(text == "key: length must be at most 512");
}

TEST_CASE("JSON of any shape is checked for depth") {
  Plugin plugin;
  plugin.set_name("p");
  *plugin.mutable_config() = Nested(kMaxDepth);
  Violations violations;
  Check(plugin, "", false, violations);
  CHECK(violations.total() == 1);
}

}  // namespace
}  // namespace sluice::schema
