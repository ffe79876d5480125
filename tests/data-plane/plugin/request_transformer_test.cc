#include "catch2/catch.hpp"
#include "tests/data-plane/plugin/fixture.h"

namespace sluice::test {
namespace {

using Fields = std::map<std::string, std::string>;

// The fields, the query or the body that goes upstream.
Fields Headers(std::string_view config, std::vector<std::pair<std::string, std::string>> fields) {
  FakeExchange exchange({.fields = std::move(fields)});
  REQUIRE_FALSE(PluginUnderTest("request-transformer", config).Request(exchange).has_value());
  return FieldsOf(exchange.upstream.fields);
}
std::string Query(std::string_view config, std::string query) {
  FakeExchange exchange({.target = "/?" + query});
  REQUIRE_FALSE(PluginUnderTest("request-transformer", config).Request(exchange).has_value());
  return exchange.upstream.query;
}
std::string Body(std::string_view config, std::string content_type, std::string body) {
  FakeExchange exchange({.method = "POST", .fields = {{"Content-Type", content_type}}, .body = std::move(body)});
  REQUIRE_FALSE(PluginUnderTest("request-transformer", config).Request(exchange).has_value());
  return exchange.body;
}
constexpr const char* kForm = "application/x-www-form-urlencoded";
constexpr const char* kJson = "application/json; charset=utf-8";
constexpr const char* kMultipart = "multipart/form-data; boundary=xx";

std::string Part(std::string name, std::string value) {
  return "--xx\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}

TEST_CASE("headers are removed, renamed, replaced, added and appended in this order") {
  CHECK(Headers(R"j({"remove": {"headers": ["a"]}, "rename": {"headers": ["b:a"]}, "replace": {"headers": ["a:2"]},
                    "add": {"headers": ["a:3", "c:3"]}, "append": {"headers": ["c:4"]}})j",
                {{"a", "0"}, {"b", "1"}}) == Fields{{"a", "2"}, {"c", "3 | 4"}});
}

TEST_CASE("a header is replaced only where it is and added only where it is not") {
  CHECK(Headers(R"j({"replace": {"headers": ["x:1"]}})j", {}).empty());
  CHECK(Headers(R"j({"add": {"headers": ["X:2"]}})j", {{"x", "1"}}) == Fields{{"x", "1"}});
}

TEST_CASE("a header may change its case") {
  FakeExchange exchange({.fields = {{"x-a", "1"}}});
  PluginUnderTest("request-transformer", R"j({"rename": {"headers": ["x-a:X-A"]}})j").Request(exchange);
  CHECK(exchange.upstream.fields.begin()->name == "X-A");
}

TEST_CASE("a value may have colons") {
  CHECK(Headers(R"j({"add": {"headers": ["x:http://a.test:80"]}})j", {})["x"] == "http://a.test:80");
}

TEST_CASE("the host is changed by replace alone") {
  FakeExchange replaced, added;
  PluginUnderTest("request-transformer", R"j({"replace": {"headers": ["Host:b.test"]}})j").Request(replaced);
  CHECK(replaced.upstream.host == "b.test");
  PluginUnderTest("request-transformer", R"j({"add": {"headers": ["host:b.test"]}})j").Request(added);
  CHECK(added.upstream.host == "");
  CHECK(added.upstream.fields.size() == 0);
}

TEST_CASE("a template looks up headers as they came, query parameters and captures") {
  FakeExchange exchange({.target = "/u/7?q=a%20b", .fields = {{"X-In", "1"}}});
  exchange.match.captures = {{"id", "7"}, {"1", "7"}};
  PluginUnderTest plugin("request-transformer", R"j({"remove": {"headers": ["x-in"]}, "add": {"headers": [
      "a:$(headers['x-in'])-$(query_params.q)", "b:$(uri_captures[\"id\"])$(uri_captures[1])",
      "c:$(headers.none or query_params['none'] or 'default')"]}})j");
  plugin.Request(exchange);
  CHECK(FieldsOf(exchange.upstream.fields) == Fields{{"a", "1-a b"}, {"b", "77"}, {"c", "default"}});
}

TEST_CASE("a template sees what authentication told and not what the client claims") {
  FakeExchange exchange({.fields = {{"X-Consumer-Username", "forged"}}});
  exchange.upstream.fields.Set("X-Consumer-Username", "ann");
  PluginUnderTest("request-transformer", R"j({"add": {"headers": ["u:$(headers['x-consumer-username'])"]}})j")
      .Request(exchange);
  CHECK(exchange.upstream.fields.Get("u") == "ann");
}

TEST_CASE("a lookup cannot add header lines") {
  FakeExchange exchange({.target = "/?q=1%0D%0Ax-evil:%201"});
  PluginUnderTest("request-transformer", R"j({"add": {"headers": ["a:$(query_params.q)"]}})j").Request(exchange);
  CHECK(FieldsOf(exchange.upstream.fields) == Fields{{"a", "1x-evil: 1"}});
}

TEST_CASE("a template that grows past its maximum is a bad request") {
  FakeExchange exchange({.fields = {{"x", std::string(8 * 1024 + 1, 'x')}}});
  PluginUnderTest plugin("request-transformer", R"j({"add": {"headers": ["a:$(headers.x)$(headers.x)"]}})j");
  CHECK(plugin.Request(exchange)->status == 400);
}

TEST_CASE("the query is changed where it is named and otherwise keeps its bytes") {
  CHECK(Query(R"j({"remove": {"querystring": ["a"]}})j", "a=1&b=%7e&a=2&c") == "b=%7e&c");
  CHECK(Query(R"j({"rename": {"querystring": ["a:b"]}})j", "a=1&c=2") == "b=1&c=2");
  CHECK(Query(R"j({"replace": {"querystring": ["a:x y", "b:1"]}})j", "a=1&a=2") == "a=x%20y");
  CHECK(Query(R"j({"add": {"querystring": ["a:9", "b:1"]}})j", "a=1") == "a=1&b=1");
  CHECK(Query(R"j({"append": {"querystring": ["a:2"]}})j", "a=1") == "a=1&a=2");
}

TEST_CASE("the path is replaced as a whole, with lookups") {
  FakeExchange exchange({.target = "/u/7?x=1"});
  exchange.match.captures = {{"id", "7"}};
  PluginUnderTest("request-transformer", R"j({"replace": {"uri": "/users/$(uri_captures['id'])"}})j").Request(exchange);
  CHECK(exchange.upstream.path == "/users/7");
  CHECK(exchange.upstream.query == "x=1");
}

TEST_CASE("a lookup cannot leave the path") {
  PluginUnderTest plugin("request-transformer", R"j({"replace": {"uri": "/$(query_params.p)"}})j");
  FakeExchange query({.target = "/?p=a%3Fadmin%3D1"}), above({.target = "/?p=..%2F..%2Fsecret"});
  plugin.Request(query);
  CHECK(query.upstream.path == "/a%3Fadmin=1");
  CHECK(plugin.Request(above)->status == 400);
}

TEST_CASE("a lookup cannot climb out of its place in the path") {
  PluginUnderTest plugin("request-transformer", R"j({"replace": {"uri": "/own/$(headers.x)/end"}})j");
  for (const char* value : {"../admin", "a/../../admin", "..", "%2e%2e/admin", "..;x", "a%2f..", "a\\.."}) {
    INFO(value);
    FakeExchange exchange({.fields = {{"x", value}}});
    const Verdict refusal = plugin.Request(exchange);
    CHECK((refusal.has_value() ? refusal->status == 400 : exchange.upstream.path == "/own/a%5C../end"));
  }
  FakeExchange below({.fields = {{"x", "a/b..c"}}}), empty({.fields = {}});
  plugin.Request(below);
  plugin.Request(empty);
  CHECK(below.upstream.path == "/own/a/b..c/end");
  CHECK(empty.upstream.path == "/own/end");
}

TEST_CASE("the method is replaced") {
  FakeExchange exchange;
  PluginUnderTest("request-transformer", R"j({"http_method": "DELETE"})j").Request(exchange);
  CHECK(exchange.upstream.method == "DELETE");
}

TEST_CASE("a form becomes the query of a GET") {
  FakeExchange exchange({.method = "POST", .target = "/?a=1", .fields = {{"Content-Type", kForm}}, .body = "b=2&c=3"});
  PluginUnderTest("request-transformer", R"j({"http_method": "GET"})j").Request(exchange);
  CHECK(exchange.upstream.query == "a=1&b=2&c=3");
  CHECK(exchange.body == "");
}

TEST_CASE("fields of a JSON body are removed, renamed, replaced, added and appended") {
  CHECK(Body(R"j({"remove": {"body": ["a"]}, "rename": {"body": ["b:c"]}, "replace": {"body": ["d:new", "none:1"]},
                 "add": {"body": ["e:5", "d:no"]}, "append": {"body": ["d:2", "f:1"]}})j",
             kJson, R"j({"a":1,"b":{"x":2},"d":"old"})j") ==
        R"j({"d":["new","2"],"c":{"x":2},"e":"5","f":["1"]})j");
}

TEST_CASE("a field is added to an empty JSON body") {
  CHECK(Body(R"j({"add": {"body": ["a:1"]}})j", "application/json", "") == R"j({"a":"1"})j");
}

TEST_CASE("a JSON body that is no object goes on as it is") {
  CHECK(Body(R"j({"add": {"body": ["a:1"]}})j", kJson, "[1, 2]") == "[1, 2]");
  CHECK(Body(R"j({"add": {"body": ["a:1"]}})j", kJson, "{oops") == "{oops");
}

TEST_CASE("JSON is looked into to its maximal depth and no deeper") {
  const std::string at = R"j({"x":)j" + std::string(63, '[') + std::string(63, ']') + "}";
  const std::string past = R"j({"x":)j" + std::string(64, '[') + std::string(64, ']') + "}";
  CHECK(Body(R"j({"add": {"body": ["a:1"]}})j", kJson, at).ends_with(R"j(,"a":"1"})j"));
  CHECK(Body(R"j({"add": {"body": ["a:1"]}})j", kJson, past) == past);
}

TEST_CASE("fields of a form are changed") {
  CHECK(Body(R"j({"remove": {"body": ["a"]}, "rename": {"body": ["b:c"]}, "replace": {"body": ["d:x y"]},
                 "add": {"body": ["e:5"]}, "append": {"body": ["d:2"]}})j",
             kForm, "a=1&b=2&d=3&z=%7e") == "c=2&d=x%20y&z=%7e&e=5&d=2");
}

TEST_CASE("parts of a multipart body are changed and others keep their bytes") {
  const std::string file = "--xx\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n\x01\r\n-\r\n";
  CHECK(Body(R"j({"remove": {"body": ["a"]}, "rename": {"body": ["b:c"]}, "replace": {"body": ["d:new"]},
                 "add": {"body": ["e:5"]}})j",
             kMultipart, Part("a", "1") + file + Part("b", "2") + Part("d", "3") + "--xx--\r\n") ==
        file + Part("c", "2") + Part("d", "new") + Part("e", "5") + "--xx--\r\n");
}

TEST_CASE("a parameter inside the quotes of another does not name a part") {
  const std::string part = "--xx\r\nContent-Disposition: form-data; x=\"; name=a\"; name=\"b\"\r\n\r\n1\r\n";
  CHECK(Body(R"j({"remove": {"body": ["b"]}})j", kMultipart, part + "--xx--\r\n") == "--xx--\r\n");
}

TEST_CASE("a value cannot end its part of a multipart body") {
  FakeExchange exchange({.method = "POST",
                         .target = "/?q=%0D%0A--xx--",
                         .fields = {{"Content-Type", kMultipart}},
                         .body = Part("a", "1") + "--xx--\r\n"});
  PluginUnderTest("request-transformer", R"j({"add": {"body": ["b:$(query_params.q)"]}})j").Request(exchange);
  CHECK(exchange.body == Part("a", "1") + "--xx--\r\n");
}

TEST_CASE("a body of another type is not read") {
  FakeExchange exchange({.method = "POST", .fields = {{"Content-Type", "text/plain"}}, .body = "a=1"});
  PluginUnderTest("request-transformer", R"j({"add": {"body": ["b:1"]}})j").Request(exchange);
  CHECK(exchange.body_reads == 0);
}

TEST_CASE("pairs, header names and templates are checked when they are written") {
  CHECK(Refusal("request-transformer", R"j({"add": {"headers": ["a"]}})j") == "add.headers[0]: expected name:value");
  CHECK(Refusal("request-transformer", R"j({"remove": {"headers": ["a b"]}})j") ==
        "remove.headers[0]: is not a header name");
  CHECK(Refusal("request-transformer", R"j({"rename": {"headers": ["a:b c"]}})j") ==
        "rename.headers[0]: the new name is not a header name");
  CHECK(Refusal("request-transformer", R"j({"replace": {"uri": "/$(shared.x)"}})j") ==
        "replace.uri: at byte 9 of the template: expected headers, query_params, uri_captures or a text in quotes");
  CHECK(Refusal("request-transformer", R"j({"add": {"body": ["a:$(headers.x"]}})j") ==
        "add.body[0]: at byte 11 of the template: expected ) or a further `or`");
}

}  // namespace
}  // namespace sluice::test
