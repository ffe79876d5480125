// Upstreams: how they balance, and how their targets are checked.

#include "tests/common/config/support.h"

namespace sluice::config {
namespace {

// What is wrong with an upstream of these fields, "field: message" a line.
std::string Wrong(const std::string& fields) {
  return Apply(R"("upstreams":[{"name":"u",)" + fields + "}]").text();
}

v1::Upstream Made(const std::string& fields) {
  return Good(R"("upstreams":[{"name":"u",)" + fields + "}]").upstreams(0);
}

std::string Targets(size_t count) {
  std::string list;
  for (size_t i = 0; i < count; ++i) {
    list += std::string(i > 0 ? "," : "") + R"({"target":"t)" + std::to_string(i) + R"(.test:80"})";
  }
  return R"("targets":[)" + list + "]";
}

constexpr const char* kProbing = R"("healthchecks":{"active":{"healthy":{"interval":1}}},)";

}  // namespace

TEST_CASE("an upstream has Kong's defaults") {
  const v1::Upstream upstream = Made(R"("tags":["t"])");
  CHECK(upstream.algorithm() == "round-robin");
  CHECK(upstream.hash_on() == "none");
  CHECK(upstream.hash_on_cookie_path() == "/");
  const v1::ActiveChecks& active = upstream.healthchecks().active();
  CHECK((active.type() == "http" && active.timeout() == 1 && active.concurrency() == 10 && active.http_path() == "/"));
  CHECK((active.https_verify_certificate() && active.healthy().interval() == 0));
  CHECK(active.healthy().http_statuses_size() == 2);
  CHECK(active.unhealthy().http_statuses_size() == 8);
  CHECK(upstream.healthchecks().passive().healthy().http_statuses_size() == 19);
  CHECK(upstream.healthchecks().passive().unhealthy().http_statuses_size() == 3);
  CHECK(upstream.healthchecks().threshold() == 0);
}

TEST_CASE("hash_on makes an upstream hash") {
  CHECK(Made(R"("hash_on":"ip")").algorithm() == "consistent-hashing");
}

TEST_CASE("an upstream that goes by load does not hash") {
  const v1::Upstream upstream = Made(R"("algorithm":"least-connections","hash_on":"ip","hash_fallback":"path")");
  CHECK(upstream.algorithm() == "least-connections");
  CHECK(upstream.hash_on() == "none");
  CHECK(upstream.hash_fallback() == "none");
}

TEST_CASE("what hashes names what it hashes") {
  CHECK(Wrong(R"("hash_on":"header")") == "upstreams[0].hash_on_header: required where hash_on is header");
  CHECK(Wrong(R"("hash_on":"cookie")") == "upstreams[0].hash_on_cookie: required where hash_on is cookie");
  CHECK(Wrong(R"("hash_on":"query_arg")") == "upstreams[0].hash_on_query_arg: required where hash_on is query_arg");
  CHECK(Wrong(R"("hash_on":"ip","hash_fallback":"uri_capture")") ==
        "upstreams[0].hash_fallback_uri_capture: required where hash_fallback is uri_capture");
  CHECK(Wrong(R"("hash_on":"ip","hash_fallback":"cookie")") ==
        "upstreams[0].hash_on_cookie: required where hash_fallback is cookie");
}

TEST_CASE("a fallback differs from what it stands in for") {
  CHECK(Wrong(R"("hash_fallback":"ip")") ==
        "upstreams[0].hash_fallback: expected none: without hash_on there is nothing to fall back from");
  CHECK(Wrong(R"("hash_on":"cookie","hash_on_cookie":"c","hash_fallback":"ip")").find("expected none") !=
        std::string::npos);
  CHECK(Wrong(R"("hash_on":"ip","hash_fallback":"ip")") ==
        "upstreams[0].hash_fallback: must differ from hash_on, which is ip too");
  CHECK(Wrong(R"("hash_on":"header","hash_on_header":"X-A","hash_fallback":"header","hash_fallback_header":"x-a")") ==
        "upstreams[0].hash_fallback_header: must differ from the one of hash_on");
  CHECK(Wrong(R"("hash_on":"header","hash_on_header":"X-A","hash_fallback":"header","hash_fallback_header":"x-b")") ==
        "");
}

TEST_CASE("nothing that ends a cookie or a field gets into one") {
  CHECK(Wrong(R"("hash_on":"cookie","hash_on_cookie":"a;b")") != "");
  CHECK(Wrong(R"("hash_on_cookie_path":"/a;b")") ==
        "upstreams[0].hash_on_cookie_path: a cookie's path cannot have a semicolon");
  CHECK(Wrong(R"("healthchecks":{"active":{"headers":{"X-A":["a\r\nb"]}}})") ==
        "upstreams[0].healthchecks.active.headers.X-A: has control characters");
}

TEST_CASE("a target is checked once a second at most") {
  CHECK(Wrong(R"("healthchecks":{"active":{"healthy":{"interval":1}}})") == "");
  CHECK(Wrong(R"("healthchecks":{"active":{"unhealthy":{"interval":0.99}}})") ==
        "upstreams[0].healthchecks.active.unhealthy.interval: a target is checked at most once a second: write 0 for "
        "never, or at least 1");
}

TEST_CASE("a check takes a minute at most") {
  CHECK(Wrong(R"("healthchecks":{"active":{"timeout":60}})") == "");
  CHECK(Wrong(R"("healthchecks":{"active":{"timeout":60.5}})") != "");
  CHECK(Wrong(R"("healthchecks":{"active":{"timeout":0}})") != "");
}

TEST_CASE("counters and statuses are within Kong's bounds") {
  CHECK(Wrong(R"("healthchecks":{"passive":{"unhealthy":{"timeouts":255}}})") == "");
  CHECK(Wrong(R"("healthchecks":{"passive":{"unhealthy":{"timeouts":256}}})") != "");
  CHECK(Wrong(R"("healthchecks":{"passive":{"healthy":{"http_statuses":[99]}}})") != "");
  CHECK(Wrong(R"("healthchecks":{"active":{"type":"udp"}})") != "");
  CHECK(Wrong(R"("healthchecks":{"threshold":101})") != "");
}

TEST_CASE("nodes check 100 targets of a gateway and no more") {
  CHECK(Wrong(kProbing + Targets(100)) == "");
  CHECK(Wrong(kProbing + Targets(101)).starts_with("upstreams[0].healthchecks.active: nodes check at most 100"));
  CHECK(Wrong(Targets(101)) == "");
}

TEST_CASE("an upstream has 1,000 targets and no more") {
  CHECK(Wrong(Targets(1000)) == "");
  CHECK(Wrong(Targets(1001)) == "upstreams[0].targets: has 1001 targets, at most 1000 are allowed");
}

}  // namespace sluice::config
