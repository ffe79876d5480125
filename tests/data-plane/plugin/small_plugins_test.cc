// ip-restriction, request-size-limiting, correlation-id and request-termination.

#include <regex>

#include "catch2/catch.hpp"
#include "tests/data-plane/plugin/fixture.h"

namespace sluice::test {
namespace {

Verdict From(std::string ip, std::string_view config) {
  FakeExchange exchange;
  exchange.client.ip = std::move(ip);
  return PluginUnderTest("ip-restriction", config).Request(exchange);
}

TEST_CASE("an address that is not allowed is refused by name") {
  Verdict verdict = From("192.0.2.1", R"({"allow": ["192.0.2.2", "10.0.0.0/8"]})");
  REQUIRE(verdict.has_value());
  CHECK(verdict->status == 403);
  CHECK(verdict->message == "IP address not allowed: 192.0.2.1");
}

TEST_CASE("addresses and ranges that are allowed pass, to their last address and no further") {
  CHECK_FALSE(From("10.255.255.255", R"({"allow": ["10.0.0.0/8"]})").has_value());
  CHECK(From("11.0.0.0", R"({"allow": ["10.0.0.0/8"]})").has_value());
  CHECK_FALSE(From("2001:db8::1", R"({"allow": ["2001:db8::/32"]})").has_value());
}

TEST_CASE("bits behind a range's prefix count for nothing") {
  CHECK_FALSE(From("10.255.255.255", R"({"allow": ["10.1.2.3/8"]})").has_value());
  CHECK(From("11.0.0.0", R"({"allow": ["10.1.2.3/8"]})").has_value());
  CHECK_FALSE(From("2001:db8:ffff::", R"({"allow": ["2001:db8::1/32"]})").has_value());
  CHECK(From("192.0.2.1", R"({"deny": ["10.1.2.3/0"]})").has_value());
}

TEST_CASE("what is denied is refused although it is allowed") {
  CHECK(From("10.0.0.1", R"({"allow": ["10.0.0.0/8"], "deny": ["10.0.0.1"]})").has_value());
}

TEST_CASE("with deny alone everybody else passes") {
  CHECK_FALSE(From("192.0.2.1", R"({"deny": ["10.0.0.0/8"]})").has_value());
}

TEST_CASE("status and message of a refused address are the configuration's") {
  Verdict verdict = From("192.0.2.1", R"({"deny": ["0.0.0.0/0"], "status": 404, "message": "go away"})");
  CHECK(verdict->status == 404);
  CHECK(verdict->message == "go away");
}

TEST_CASE("neither allow nor deny is no restriction") {
  CHECK(Refusal("ip-restriction", "{}") == "allow: at least one of allow and deny is needed");
}

FakeRequest Post(std::string body) { return {.method = "POST", .fields = {}, .body = std::move(body)}; }

TEST_CASE("a declared body of the allowed size passes, one byte more does not") {
  PluginUnderTest plugin("request-size-limiting", R"({"allowed_payload_size": 5, "size_unit": "bytes"})");
  FakeExchange at(Post("12345")), past(Post("123456"));
  CHECK_FALSE(plugin.Request(at).has_value());
  Verdict verdict = plugin.Request(past);
  CHECK(verdict->status == 413);
  CHECK(verdict->message == "Request size limit exceeded");
}

TEST_CASE("kilobytes and megabytes are powers of two") {
  PluginUnderTest kilo("request-size-limiting", R"({"allowed_payload_size": 1, "size_unit": "kilobytes"})");
  FakeExchange at(Post(std::string(1024, 'x'))), past(Post(std::string(1025, 'x')));
  CHECK_FALSE(kilo.Request(at).has_value());
  CHECK(kilo.Request(past).has_value());
  FakeExchange mega;
  mega.request.framing = {http::Framing::Kind::kLength, 128 * 1048576 + 1};
  CHECK(PluginUnderTest("request-size-limiting", "{}").Request(mega).has_value());
}

TEST_CASE("who waits to be told to continue is told 417") {
  FakeExchange exchange(Post("123456"));
  exchange.request.expect_continue = true;
  PluginUnderTest plugin("request-size-limiting", R"({"allowed_payload_size": 5, "size_unit": "bytes"})");
  CHECK(plugin.Request(exchange)->status == 417);
}

TEST_CASE("a chunked body is counted as it comes") {
  PluginUnderTest plugin("request-size-limiting", R"({"allowed_payload_size": 5, "size_unit": "bytes"})");
  FakeExchange exchange({.method = "POST", .fields = {}, .body = {}, .chunked = true});
  CHECK_FALSE(plugin.Request(exchange).has_value());
  exchange.request_body_bytes = 5;
  CHECK_FALSE(plugin.plugin().OnRequestBody(exchange, "12345").has_value());
  exchange.request_body_bytes = 6;
  CHECK(plugin.plugin().OnRequestBody(exchange, "6")->status == 413);
}

TEST_CASE("a length may be required, and chunks do instead") {
  PluginUnderTest plugin("request-size-limiting", R"({"require_content_length": true})");
  FakeExchange none, zero({.fields = {{"Content-Length", "0"}}}), chunked({.fields = {}, .body = {}, .chunked = true});
  CHECK(plugin.Request(none)->status == 411);
  CHECK(plugin.Request(none)->message == "A valid Content-Length header is required");
  CHECK_FALSE(plugin.Request(zero).has_value());
  CHECK_FALSE(plugin.Request(chunked).has_value());
}

std::string Correlate(std::string_view config, FakeExchange& exchange) {
  PluginUnderTest("correlation-id", config).Request(exchange);
  return std::string(exchange.upstream.fields.Get("kong-request-id"));
}

constexpr const char* kUuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

TEST_CASE("the usual correlation id is a UUID and a counter that grows") {
  PluginUnderTest plugin("correlation-id", "{}");
  FakeExchange first, second;
  plugin.Request(first);
  plugin.Request(second);
  CHECK(std::regex_match(first.correlation_id, std::regex(std::string(kUuid) + "#1")));
  CHECK(second.correlation_id == first.correlation_id.substr(0, 37) + "2");
  CHECK(first.upstream.fields.Get("Kong-Request-ID") == first.correlation_id);
}

TEST_CASE("the correlation id may be a UUID of its own for each request") {
  FakeExchange first, second;
  const std::string one = Correlate(R"({"generator": "uuid"})", first);
  CHECK(std::regex_match(one, std::regex(kUuid)));
  CHECK(Correlate(R"({"generator": "uuid"})", second) != one);
}

TEST_CASE("a tracker names address, port, process, connection, request and time") {
  FakeExchange exchange;
  exchange.client.connection = 7;
  exchange.client.requests_on_connection = 3;
  exchange.started_wall = WallTime(std::chrono::milliseconds(1'700'000'000'042));
  CHECK(std::regex_match(Correlate(R"({"generator": "tracker"})", exchange),
                         std::regex(R"(192\.0\.2\.1-8000-\d+-7-3-1700000000\.042)")));
}

TEST_CASE("a client's own correlation id is kept, an empty one is not") {
  FakeExchange own({.fields = {{"Kong-Request-ID", "mine"}}}), empty({.fields = {{"Kong-Request-ID", ""}}});
  CHECK(Correlate("{}", own) == "mine");
  CHECK(own.correlation_id == "mine");
  CHECK(Correlate("{}", empty).size() == 38);
}

TEST_CASE("the correlation id goes back to the client where that is configured") {
  PluginUnderTest plugin("correlation-id", R"({"header_name": "X-Id", "generator": "uuid", "echo_downstream": true})");
  FakeExchange exchange;
  plugin.Request(exchange);
  CHECK(plugin.Response(exchange)["x-id"] == exchange.correlation_id);
  CHECK((PluginUnderTest("correlation-id", "{}").plugin().moments() & kOnResponse) == 0);
}

Reply Terminate(std::string_view config, FakeRequest request = {}) {
  FakeExchange exchange(std::move(request));
  return PluginUnderTest("request-termination", config).Request(exchange).value();
}

TEST_CASE("a terminated request gets the usual message of its status") {
  Reply reply = Terminate("{}");
  CHECK(reply.status == 503);
  CHECK(reply.body == R"({"message":"Service unavailable"})");
  CHECK(reply.content_type == "application/json; charset=utf-8");
  CHECK(Terminate(R"({"status_code": 401})").body == R"({"message":"Unauthorized"})");
  CHECK(Terminate(R"({"status_code": 404})").body == R"({"message":"Not found"})");
  CHECK(Terminate(R"({"status_code": 405})").body == R"({"message":"Method not allowed"})");
  CHECK(Terminate(R"({"status_code": 500})").body == R"({"message":"An unexpected error occurred"})");
  CHECK(Terminate(R"({"status_code": 502})").body == R"({"message":"Bad Gateway"})");
  CHECK(Terminate(R"({"status_code": 418})").body == "");
}

TEST_CASE("a terminated request gets the configured message or body") {
  CHECK(Terminate(R"({"message": "so \"sorry\""})").body == R"({"message":"so \"sorry\""})");
  Reply reply = Terminate(R"({"status_code": 200, "body": "<p>", "content_type": "text/html"})");
  CHECK(reply.body == "<p>");
  CHECK(reply.content_type == "text/html");
  CHECK(Terminate(R"({"body": "{}"})").content_type == "application/json; charset=utf-8");
}

TEST_CASE("a status that has no body is sent without one") {
  CHECK(Terminate(R"({"status_code": 204, "body": "x"})").body == "");
}

TEST_CASE("with a trigger only requests that have it are terminated") {
  PluginUnderTest plugin("request-termination", R"({"trigger": "x-stop"})");
  FakeExchange without, in_header({.fields = {{"X-Stop", ""}}}), in_query({.target = "/?x-stop"});
  CHECK_FALSE(plugin.Request(without).has_value());
  CHECK(plugin.Request(in_header).has_value());
  CHECK(plugin.Request(in_query).has_value());
}

TEST_CASE("a request is echoed with its parts") {
  Reply reply = Terminate(R"({"status_code": 200, "echo": true})",
                          {.method = "PUT", .target = "/a?b=1&b=2&c", .fields = {{"X-A", "1"}}, .body = "hi"});
  CHECK(reply.body ==
        R"({"request":{"scheme":"http","host":"a.test","port":8000,"headers":{"x-a":"1"},)"
        R"("query":{"b":["1","2"],"c":true},"raw_body":"hi","method":"PUT","path":"/a","uri_captures":{}}})");
}

TEST_CASE("a message and a body exclude each other") {
  CHECK(Refusal("request-termination", R"({"message": "a", "body": "b"})") == "message: cannot be used with body");
  CHECK(Refusal("request-termination", R"({"message": "a", "content_type": "text/plain"})") ==
        "message: cannot be used with content_type");
  CHECK(Refusal("request-termination", R"({"content_type": "text/plain"})") == "content_type: needs a body");
}

}  // namespace
}  // namespace sluice::test
