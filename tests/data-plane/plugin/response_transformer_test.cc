#include "catch2/catch.hpp"
#include "tests/data-plane/plugin/fixture.h"

namespace sluice::test {
namespace {

using Fields = std::map<std::string, std::string>;

Fields Headers(std::string_view config, Fields fields) {
  FakeExchange exchange;
  return PluginUnderTest("response-transformer", config).Response(exchange, 200, std::move(fields));
}

// What the client gets of a response with that body.
std::string Body(std::string_view config, std::string body, std::string content_type = "application/json") {
  FakeExchange exchange;
  PluginUnderTest plugin("response-transformer", config);
  http::ResponseHead head;
  head.status = 200;
  head.fields.Add("Content-Type", content_type);
  plugin.plugin().OnResponse(exchange, head);
  exchange.response = &head;
  BodyPiece piece{.bytes = body, .last = true};
  plugin.plugin().OnResponseBody(exchange, piece);
  return std::string(piece.bytes);
}

TEST_CASE("response headers are removed, renamed, replaced, added and appended in this order") {
  CHECK(Headers(R"({"remove": {"headers": ["a"]}, "rename": {"headers": ["b:a"]}, "replace": {"headers": ["a:2"]},
                    "add": {"headers": ["a:3", "c:3"]}, "append": {"headers": ["c:4"]}})",
                {{"a", "0"}, {"b", "1"}}) == Fields{{"a", "2"}, {"c", "3 | 4"}});
}

TEST_CASE("a response header is removed by value where one is named") {
  CHECK(Headers(R"({"remove": {"headers": ["a:1", "b:1"]}})", {{"a", "1"}, {"b", "2"}}) == Fields{{"b", "2"}});
}

TEST_CASE("without changes of JSON the body is not collected") {
  CHECK(PluginUnderTest("response-transformer", R"({"add": {"headers": ["a:1"]}})").plugin().moments() == kOnResponse);
}

TEST_CASE("a JSON response is collected and loses its length") {
  FakeExchange exchange;
  PluginUnderTest plugin("response-transformer", R"({"add": {"json": ["a:1"]}})");
  Fields head = plugin.Response(exchange, 200, {{"Content-Type", "application/json"}, {"Content-Length", "2"}});
  CHECK(head == Fields{{"content-type", "application/json"}});
  CHECK(exchange.buffer_response);
}

TEST_CASE("responses without a JSON body are not collected") {
  PluginUnderTest plugin("response-transformer", R"({"add": {"json": ["a:1"]}})");
  FakeExchange text, empty, head({.method = "HEAD"});
  plugin.Response(text, 200, {{"Content-Type", "text/plain"}});
  plugin.Response(empty, 304, {{"Content-Type", "application/json"}});
  plugin.Response(head, 200, {{"Content-Type", "application/json"}});
  CHECK_FALSE((text.buffer_response || empty.buffer_response || head.buffer_response));
}

TEST_CASE("JSON members are removed, renamed, replaced, added and appended in this order") {
  CHECK(Body(R"({"remove": {"json": ["a"]}, "rename": {"json": ["b:c"]}, "replace": {"json": ["d:new", "none:1"]},
                 "add": {"json": ["e:5", "d:no"]}, "append": {"json": ["d:2"]}})",
             R"({"a":1,"b":{"x":2},"d":"old"})") == R"({"d":["new","2"],"c":{"x":2},"e":"5"})");
}

TEST_CASE("values of JSON have the types they are given") {
  CHECK(Body(R"({"add": {"json": ["n:1.5", "b:true", "s:1"], "json_types": ["number", "boolean", "string"]}})", "{}") ==
        R"({"n":1.5,"b":true,"s":"1"})");
  CHECK(Body(R"({"add": {"json": ["n:one"], "json_types": ["number"]}})", "{}") == "{}");
}

TEST_CASE("a body that is no JSON object goes on as it is") {
  CHECK(Body(R"({"add": {"json": ["a:1"]}})", "{oops") == "{oops");
  CHECK(Body(R"({"add": {"json": ["a:1"]}})", "[1]") == "[1]");
  CHECK(Body(R"({"add": {"json": ["a:1"]}})", "{}", "text/plain") == "{}");
}

TEST_CASE("response transformations are checked when they are written") {
  CHECK(Refusal("response-transformer", R"({"add": {"headers": ["a:\n"]}})") ==
        "add.headers[0]: has control characters");
  CHECK(Refusal("response-transformer", R"({"add": {"json": ["a:1"], "json_types": ["string", "number"]}})") ==
        "add.json_types: has more types than add.json has values");
}

}  // namespace
}  // namespace sluice::test
