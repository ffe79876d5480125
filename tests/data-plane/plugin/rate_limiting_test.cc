#include "catch2/catch.hpp"
#include "data-plane/route/gateway.h"
#include "tests/data-plane/plugin/fixture.h"

namespace sluice::test {
namespace {

using Fields = std::map<std::string, std::string>;

// One request at a second of the fake clock's minute, which begins at -20.
struct Visit : FakeExchange {
  explicit Visit(FakeRequest request = {}, int second = 0) : FakeExchange(std::move(request)) {
    fake_worker.fixed_clock.wall += std::chrono::seconds(second);
  }
};

TEST_CASE("a response tells limit, remaining and reset of the window") {
  PluginUnderTest plugin("rate-limiting", R"({"minute": 5})");
  Visit visit;
  CHECK_FALSE(plugin.Request(visit).has_value());
  CHECK(plugin.Response(visit) == Fields{{"x-ratelimit-limit-minute", "5"},
                                         {"x-ratelimit-remaining-minute", "4"},
                                         {"ratelimit-limit", "5"},
                                         {"ratelimit-remaining", "4"},
                                         {"ratelimit-reset", "40"}});
}

TEST_CASE("the request over the limit is refused until the window ends") {
  PluginUnderTest plugin("rate-limiting", R"({"minute": 1})");
  Visit first, second;
  CHECK_FALSE(plugin.Request(first).has_value());
  Verdict verdict = plugin.Request(second);
  REQUIRE(verdict.has_value());
  CHECK(verdict->status == 429);
  CHECK(verdict->message == "API rate limit exceeded");
  CHECK(ReplyField(*verdict, "Retry-After") == "40");
  CHECK(plugin.Response(second, 429)["x-ratelimit-remaining-minute"] == "0");
}

TEST_CASE("a new window begins with the calendar minute") {
  PluginUnderTest plugin("rate-limiting", R"({"minute": 1})");
  Visit first, last({}, 39), next({}, 40);
  CHECK_FALSE(plugin.Request(first).has_value());
  CHECK(plugin.Request(last).has_value());
  CHECK_FALSE(plugin.Request(next).has_value());
}

TEST_CASE("a refused request is counted in no window") {
  PluginUnderTest plugin("rate-limiting", R"({"second": 1, "minute": 5})");
  Visit first, refused, later({}, 1);
  plugin.Request(first);
  CHECK(plugin.Request(refused).has_value());
  plugin.Request(later);
  CHECK(plugin.Response(later)["x-ratelimit-remaining-minute"] == "3");
}

TEST_CASE("the general fields tell of the window with the least remaining") {
  PluginUnderTest plugin("rate-limiting", R"({"second": 2, "hour": 100})");
  Visit visit;
  plugin.Request(visit);
  Fields fields = plugin.Response(visit);
  CHECK(fields["ratelimit-limit"] == "2");
  CHECK(fields["ratelimit-reset"] == "1");
  CHECK(fields["x-ratelimit-remaining-hour"] == "99");
}

TEST_CASE("of windows with the same remaining the longer one is told of") {
  PluginUnderTest plugin("rate-limiting", R"({"second": 2, "minute": 2})");
  Visit visit;
  plugin.Request(visit);
  CHECK(plugin.Response(visit)["ratelimit-reset"] == "40");
}

TEST_CASE("every period has fields of its own name") {
  PluginUnderTest plugin("rate-limiting", R"({"second":1,"minute":2,"hour":3,"day":4,"month":5,"year":6})");
  Visit visit;
  plugin.Request(visit);
  Fields fields = plugin.Response(visit);
  CHECK(fields["x-ratelimit-limit-second"] == "1");
  CHECK(fields["x-ratelimit-limit-hour"] == "3");
  CHECK(fields["x-ratelimit-limit-day"] == "4");
  CHECK(fields["x-ratelimit-limit-month"] == "5");
  CHECK(fields["x-ratelimit-remaining-year"] == "5");
}

TEST_CASE("clients need not be told") {
  PluginUnderTest plugin("rate-limiting", R"({"minute": 1, "hide_client_headers": true})");
  Visit first, second;
  plugin.Request(first);
  Verdict verdict = plugin.Request(second);
  CHECK(verdict->fields.size() == 0);
  CHECK(plugin.Response(second).empty());
}

TEST_CASE("status and message of a refusal are the configuration's") {
  PluginUnderTest plugin("rate-limiting", R"({"minute": 1, "error_code": 404, "error_message": "slow down"})");
  Visit first, second;
  plugin.Request(first);
  Verdict verdict = plugin.Request(second);
  CHECK(verdict->status == 404);
  CHECK(verdict->message == "slow down");
}

TEST_CASE("consumers are counted apart, everybody else by address") {
  PluginUnderTest plugin("rate-limiting", R"({"minute": 1})");
  const Consumer ann{.id = "1", .username = "ann", .custom_id = {}};
  Visit anonymous, as_ann, other_address;
  as_ann.consumer = &ann;
  other_address.client.ip = "192.0.2.2";
  CHECK_FALSE(plugin.Request(anonymous).has_value());
  CHECK_FALSE(plugin.Request(as_ann).has_value());
  CHECK_FALSE(plugin.Request(other_address).has_value());
  CHECK(plugin.Request(as_ann).has_value());
}

TEST_CASE("credentials are counted apart") {
  PluginUnderTest plugin("rate-limiting", R"({"minute": 1, "limit_by": "credential"})");
  Visit one, two;
  one.credential_id = "1";
  two.credential_id = "2";
  CHECK_FALSE(plugin.Request(one).has_value());
  CHECK_FALSE(plugin.Request(two).has_value());
  CHECK(plugin.Request(one).has_value());
}

TEST_CASE("with limit_by service all clients are counted together") {
  PluginUnderTest plugin("rate-limiting", R"({"minute": 1, "limit_by": "service"})");
  Service service;
  service.id = "s";
  Visit one, two;
  one.service = two.service = &service;
  two.client.ip = "192.0.2.2";
  CHECK_FALSE(plugin.Request(one).has_value());
  CHECK(plugin.Request(two).has_value());
}

TEST_CASE("the values of a header are counted apart, requests without it by address") {
  PluginUnderTest plugin("rate-limiting", R"({"minute": 1, "limit_by": "header", "header_name": "x-id"})");
  Visit a({.fields = {{"X-Id", "a"}}}), b({.fields = {{"X-Id", "b"}}}), none;
  CHECK_FALSE(plugin.Request(a).has_value());
  CHECK_FALSE(plugin.Request(b).has_value());
  CHECK_FALSE(plugin.Request(none).has_value());
  CHECK(plugin.Request(a).has_value());
}

TEST_CASE("a header value that reads like an address does not use up that client's limit") {
  PluginUnderTest plugin("rate-limiting", R"({"minute": 1, "limit_by": "header", "header_name": "x-id"})");
  Visit forged({.fields = {{"X-Id", "192.0.2.1"}}}), honest;
  CHECK_FALSE(plugin.Request(forged).has_value());
  CHECK_FALSE(plugin.Request(honest).has_value());
}

TEST_CASE("header values that differ past the sixty-fourth byte are counted apart") {
  PluginUnderTest plugin("rate-limiting", R"({"minute": 1, "limit_by": "header", "header_name": "x-id"})");
  Visit a({.fields = {{"X-Id", std::string(65, 'a')}}}), b({.fields = {{"X-Id", std::string(66, 'a')}}});
  CHECK_FALSE(plugin.Request(a).has_value());
  CHECK_FALSE(plugin.Request(b).has_value());
  CHECK(plugin.Request(b).has_value());
}

TEST_CASE("with limit_by path all clients of that path are counted together") {
  PluginUnderTest plugin("rate-limiting", R"({"minute": 1, "limit_by": "path", "path": "/a"})");
  Visit one({.target = "/a?x"}), two({.target = "/a"}), elsewhere({.target = "/b"});
  two.client.ip = "192.0.2.2";
  CHECK_FALSE(plugin.Request(one).has_value());
  CHECK(plugin.Request(two).has_value());
  CHECK_FALSE(plugin.Request(elsewhere).has_value());
}

void FillCounters(PluginUnderTest& plugin, int64_t end) {
  const Counters::Window forever{.start = 0, .end = end, .limit = 1};
  for (size_t i = 0; i < 4 * Counters::kMaxKeys; ++i) {
    plugin.state().plugin_counters().CountIfBelow("filler" + std::to_string(i), &forever, 1);
  }
}

TEST_CASE("requests pass unlimited where there is no room to count, unless told otherwise") {
  PluginUnderTest tolerant("rate-limiting", R"({"minute": 1})");
  PluginUnderTest strict("rate-limiting", R"({"minute": 1, "fault_tolerant": false})");
  FillCounters(tolerant, 4'000'000'000);
  FillCounters(strict, 4'000'000'000);
  Visit one, two, three;
  CHECK_FALSE(tolerant.Request(one).has_value());
  CHECK_FALSE(tolerant.Request(two).has_value());
  CHECK(tolerant.Response(two).empty());
  CHECK(strict.Request(three)->status == 500);
  CHECK(strict.Request(three)->message == "An unexpected error occurred");
}

TEST_CASE("at least one period is needed") {
  CHECK(Refusal("rate-limiting", "{}") ==
        "second: at least one of second, minute, hour, day, month and year is needed");
}

TEST_CASE("a longer period cannot have the lower limit") {
  CHECK(Refusal("rate-limiting", R"({"second": 2, "minute": 1})") ==
        "minute: the limit for minute(1) cannot be lower than the limit for second(2)");
  CHECK(Refusal("rate-limiting", R"({"second": 2, "hour": 2})") == "");
}

TEST_CASE("limit_by header and path need to know which") {
  CHECK(Refusal("rate-limiting", R"({"minute": 1, "limit_by": "header"})") ==
        "header_name: needed with limit_by header");
  CHECK(Refusal("rate-limiting", R"({"minute": 1, "limit_by": "path"})") == "path: needed with limit_by path");
}

TEST_CASE("shared stores are refused with what to use instead") {
  CHECK(Refusal("rate-limiting", R"({"minute": 1, "policy": "redis", "redis": {"port": 6379}})") ==
        "policy: Use policy local: each node counts for itself and needs no store.");
  CHECK(Refusal("rate-limiting", R"({"minute": 1, "redis": {"host": "r.test"}})") ==
        "redis.host: There is no shared store for counters; leave redis out and use policy local.");
  CHECK(Refusal("rate-limiting", R"({"minute": 1, "redis": {"port": 6379, "ssl_verify": false}})") == "");
}

TEST_CASE("consumer groups are refused with what to use instead") {
  CHECK(Refusal("rate-limiting", R"({"minute": 1, "limit_by": "consumer-group"})")
            .starts_with("limit_by: There are no consumer groups yet;"));
}

}  // namespace
}  // namespace sluice::test
