#include "data-plane/route/compile_upstream.h"

#include <google/protobuf/text_format.h>

#include "catch2/catch.hpp"
#include "common/schema/schema.h"

namespace sluice {
namespace {

Upstream Compiled(const std::string& text) {
  config::v1::Upstream entity;
  REQUIRE(google::protobuf::TextFormat::ParseFromString(text, &entity));
  schema::FillDefaults(entity);
  return CompileUpstream(entity);
}

using Kind = HashInput::Kind;

}  // namespace

TEST_CASE("an upstream with Kong's defaults checks nothing") {
  const Upstream upstream = Compiled(R"(name: "u")");
  CHECK(upstream.algorithm == Algorithm::kRoundRobin);
  CHECK_FALSE(upstream.health.on());
  CHECK(upstream.slots == 10'000);
}

TEST_CASE("an upstream that was stored before it had these fields checks nothing") {
  CHECK_FALSE(CompileUpstream(config::v1::Upstream()).health.on());
}

TEST_CASE("what is hashed has its own name, and the fallback its own") {
  const Upstream upstream = Compiled(R"(algorithm: "consistent-hashing" hash_on: "header" hash_on_header: "X-A"
                                        hash_fallback: "query_arg" hash_fallback_query_arg: "b")");
  CHECK(upstream.algorithm == Algorithm::kConsistentHashing);
  CHECK((upstream.hash_on.kind == Kind::kHeader && upstream.hash_on.name == "X-A"));
  CHECK((upstream.hash_fallback.kind == Kind::kQueryArgument && upstream.hash_fallback.name == "b"));
}

TEST_CASE("a fallback to a cookie is the cookie of hash_on_cookie") {
  const Upstream upstream = Compiled(R"(hash_on: "ip" hash_fallback: "cookie" hash_on_cookie: "c")");
  CHECK((upstream.hash_fallback.kind == Kind::kCookie && upstream.hash_fallback.name == "c"));
}

TEST_CASE("checks keep their kind, times and counts") {
  const Upstream upstream = Compiled(R"(healthchecks { threshold: 25 active { type: "https" timeout: 0.5
      unhealthy { interval: 3 http_statuses: 500 http_statuses: 404 tcp_failures: 2 } healthy { successes: 4 } } })");
  const HealthPolicy& health = upstream.health;
  CHECK((health.on() && health.checks_recover() && health.threshold == 25));
  CHECK((health.active.type == CheckType::kHttps && health.active.verify));
  CHECK(health.active.timeout == std::chrono::milliseconds(500));
  CHECK(health.active.unhealthy_interval == 3);
  CHECK(health.active_rule.unhealthy_statuses == std::vector<uint16_t>{404, 500});
  CHECK((health.active_rule.limits.tcp_failures == 2 && health.active_rule.limits.successes == 4));
  CHECK(health.passive_rule.healthy_statuses.size() == 19);
}

}  // namespace sluice
