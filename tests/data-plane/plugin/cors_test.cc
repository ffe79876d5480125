#include "catch2/catch.hpp"
#include "tests/data-plane/plugin/fixture.h"

namespace sluice::test {
namespace {

using Fields = std::map<std::string, std::string>;

FakeRequest From(std::string origin) { return {.fields = {{"Origin", std::move(origin)}}}; }
FakeRequest Preflight(std::string origin) {
  return {.method = "OPTIONS", .fields = {{"Origin", std::move(origin)}, {"Access-Control-Request-Method", "PUT"}}};
}

std::string AllowedOrigin(std::string_view config, std::string origin) {
  FakeExchange exchange(From(std::move(origin)));
  return PluginUnderTest("cors", config).Response(exchange)["access-control-allow-origin"];
}

TEST_CASE("a preflight is answered with what is allowed") {
  FakeExchange exchange(Preflight("https://a.test"));
  Verdict verdict = PluginUnderTest("cors", "{}").Request(exchange);
  REQUIRE(verdict.has_value());
  CHECK(verdict->status == 200);
  CHECK(verdict->body.empty());
  CHECK_FALSE(verdict->message.has_value());
  CHECK(ReplyField(*verdict, "Access-Control-Allow-Origin") == "*");
  CHECK(ReplyField(*verdict, "Access-Control-Allow-Methods") == "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT");
  CHECK(ReplyField(*verdict, "Access-Control-Max-Age") == "");
}

TEST_CASE("a preflight is told headers, age and credentials of the configuration") {
  FakeExchange exchange(Preflight("https://a.test"));
  PluginUnderTest plugin(
      "cors", R"({"origins": ["https://a.test"], "headers": ["X-A", "X-B"], "max_age": 23, "credentials": true})");
  Verdict verdict = plugin.Request(exchange);
  CHECK(ReplyField(*verdict, "Access-Control-Allow-Origin") == "https://a.test");
  CHECK(ReplyField(*verdict, "Vary") == "Origin");
  CHECK(ReplyField(*verdict, "Access-Control-Allow-Headers") == "X-A,X-B");
  CHECK(ReplyField(*verdict, "Access-Control-Max-Age") == "23");
  CHECK(ReplyField(*verdict, "Access-Control-Allow-Credentials") == "true");
}

TEST_CASE("without configured headers a preflight gets those it asked for") {
  FakeRequest request = Preflight("https://a.test");
  request.fields.emplace_back("Access-Control-Request-Headers", "x-one, x-two");
  FakeExchange exchange(request);
  CHECK(ReplyField(*PluginUnderTest("cors", "{}").Request(exchange), "Access-Control-Allow-Headers") == "x-one, x-two");
}

TEST_CASE("access to private networks is permitted where it is asked for and configured") {
  FakeRequest request = Preflight("https://a.test");
  request.fields.emplace_back("Access-Control-Request-Private-Network", "true");
  FakeExchange exchange(request);
  Verdict with = PluginUnderTest("cors", R"({"private_network": true})").Request(exchange);
  CHECK(ReplyField(*with, "Access-Control-Allow-Private-Network") == "true");
  Verdict without = PluginUnderTest("cors", "{}").Request(exchange);
  CHECK(ReplyField(*without, "Access-Control-Allow-Private-Network") == "");
}

TEST_CASE("OPTIONS without an origin or a method asked for is an ordinary request") {
  PluginUnderTest plugin("cors", "{}");
  FakeExchange no_method({.method = "OPTIONS", .fields = {{"Origin", "https://a.test"}}});
  CHECK_FALSE(plugin.Request(no_method).has_value());
  CHECK(plugin.Response(no_method)["access-control-allow-origin"] == "*");
}

TEST_CASE("a preflight passed on is left to the upstream") {
  PluginUnderTest plugin("cors", R"({"preflight_continue": true})");
  FakeExchange exchange(Preflight("https://a.test"));
  CHECK_FALSE(plugin.Request(exchange).has_value());
  CHECK(plugin.Response(exchange).empty());
}

TEST_CASE("without origins every origin may read responses") {
  FakeExchange exchange;
  CHECK(PluginUnderTest("cors", "{}").Response(exchange) == Fields{{"access-control-allow-origin", "*"}});
}

TEST_CASE("a single literal origin is told whoever asks") {
  FakeExchange exchange(From("https://evil.test"));
  CHECK(PluginUnderTest("cors", R"({"origins": ["https://a.test"]})").Response(exchange) ==
        Fields{{"access-control-allow-origin", "https://a.test"}, {"vary", "Origin"}});
}

TEST_CASE("of several origins the one that asks is told, in its normal form") {
  const char* config = R"({"origins": ["https://a.test", "http://b.test:80"]})";
  CHECK(AllowedOrigin(config, "https://a.test:443") == "https://a.test");
  CHECK(AllowedOrigin(config, "http://b.test") == "http://b.test");
  CHECK(AllowedOrigin(config, "http://a.test") == "");
}

TEST_CASE("the upstream's own answer goes where the origin is not allowed") {
  FakeExchange exchange(From("https://evil.test"));
  PluginUnderTest plugin("cors", R"({"origins": ["https://a.test", "https://b.test"]})");
  CHECK(plugin.Response(exchange, 200, {{"Access-Control-Allow-Origin", "*"}}) == Fields{{"vary", "Origin"}});
}

TEST_CASE("a pattern must match the whole origin") {
  const char* config = R"({"origins": ["https://.*\\.a\\.test"]})";
  CHECK(AllowedOrigin(config, "https://x.a.test") == "https://x.a.test");
  CHECK(AllowedOrigin(config, "https://x.a.test.evil.test") == "");
  CHECK(AllowedOrigin(config, "http://https://x.a.test") == "");
}

TEST_CASE("a pattern without a colon matches the host alone") {
  const char* config = R"({"origins": [".*\\.a\\.test"]})";
  CHECK(AllowedOrigin(config, "http://x.a.test:8080") == "http://x.a.test:8080");
  CHECK(AllowedOrigin(config, "http://x.b.test") == "");
}

TEST_CASE("an origin at the limit is matched and one past it is not") {
  const std::string any = R"({"origins": ["https://a.test", ".*://x+"]})";
  const std::string longest = "app://" + std::string(506, 'x');
  CHECK(AllowedOrigin(any, longest) == longest);
  CHECK(AllowedOrigin(any, longest + "x").empty());
}

TEST_CASE("credentials need the origin by name") {
  FakeExchange exchange(From("https://a.test"));
  CHECK(PluginUnderTest("cors", R"({"credentials": true})").Response(exchange) ==
        Fields{{"access-control-allow-origin", "https://a.test"},
               {"access-control-allow-credentials", "true"},
               {"vary", "Origin"}});
}

TEST_CASE("credentials without an origin are not offered") {
  FakeExchange exchange;
  CHECK(PluginUnderTest("cors", R"({"credentials": true})").Response(exchange) ==
        Fields{{"access-control-allow-origin", "*"}});
}

TEST_CASE("exposed headers are told with responses") {
  FakeExchange exchange;
  CHECK(PluginUnderTest("cors", R"({"exposed_headers": ["X-A", "X-B"]})")
            .Response(exchange)["access-control-expose-headers"] == "X-A,X-B");
}

TEST_CASE("requests without an origin may be left alone") {
  FakeExchange exchange;
  CHECK(PluginUnderTest("cors", R"({"allow_origin_absent": false})").Response(exchange).empty());
}

TEST_CASE("an origin that is no pattern is refused") {
  CHECK(Refusal("cors", R"({"origins": ["https://a.test", "https://("]})").starts_with("origins[1]: "));
}

}  // namespace
}  // namespace sluice::test
