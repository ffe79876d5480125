#include "catch2/catch.hpp"
#include "data-plane/plugin/json.h"
#include "data-plane/plugin/serializer.h"
#include "nlohmann/json.hpp"
#include "tests/data-plane/plugin/fixture.h"

namespace sluice::test {
namespace {

using plugins::Json;
using std::chrono::milliseconds;

// The entry about an exchange.
Json Entry(const Exchange& exchange) { return Json::parse(plugins::SerializeExchange(exchange)); }

HttpCall Sent(std::string_view config) {
  FakeExchange exchange;
  PluginUnderTest plugin("http-log", config);
  plugin.plugin().OnDone(exchange);
  exchange.fake_worker.stop_after = 1;
  exchange.fake_worker.loop().Run();
  return exchange.fake_worker.calls.at(0);
}

TEST_CASE("an entry goes to its endpoint as JSON") {
  HttpCall call = Sent(R"({"http_endpoint": "http://log.test/in?a=b"})");
  CHECK(call.host == "log.test");
  CHECK(call.port == 80);
  CHECK_FALSE(call.tls);
  CHECK(call.method == "POST");
  CHECK(call.target == "/in?a=b");
  CHECK(call.timeout == std::chrono::seconds(10));
  CHECK(call.fields.at(0) == std::pair<std::string, std::string>("Content-Type", "application/json"));
  CHECK(Json::parse(call.body)["client_ip"] == "192.0.2.1");
}

TEST_CASE("method, type, headers and verification are the configuration's") {
  HttpCall call = Sent(R"({"http_endpoint": "https://log.test:8443", "method": "PUT", "ssl_verify": false,
                           "content_type": "application/json; charset=utf-8", "headers": {"X-A": "1"}})");
  CHECK(call.tls);
  CHECK(call.port == 8443);
  CHECK(call.target == "/");
  CHECK_FALSE(call.verify);
  CHECK(call.method == "PUT");
  CHECK(call.fields.at(0).second == "application/json; charset=utf-8");
  CHECK(call.fields.back() == std::pair<std::string, std::string>("X-A", "1"));
}

TEST_CASE("user and password of the endpoint become basic authentication") {
  HttpCall call = Sent(R"({"http_endpoint": "http://ann:p%40ss+1@log.test/"})");
  CHECK(call.fields.back() == std::pair<std::string, std::string>("Authorization", "Basic YW5uOnBAc3MrMQ=="));
}

TEST_CASE("with batches an entry is a list even alone") {
  HttpCall call = Sent(
      R"({"http_endpoint": "http://log.test", "queue": {"max_batch_size": 2, "max_coalescing_delay": 0}})");
  CHECK(Json::parse(call.body).is_array());
}

TEST_CASE("an entry tells of the request as the client sent it") {
  FakeExchange exchange({.method = "PUT", .target = "/a?b=1&b=2&c", .fields = {{"X-A", "1"}, {"x-a", "2"}}});
  exchange.request_bytes = 40;
  Json request = Entry(exchange)["request"];
  CHECK(request["id"] == "0123456789abcdef0123456789abcdef");
  CHECK(request["method"] == "PUT");
  CHECK(request["uri"] == "/a?b=1&b=2&c");
  CHECK(request["url"] == "http://a.test:8000/a?b=1&b=2&c");
  CHECK(request["size"] == 40);
  CHECK(request["querystring"].dump() == R"({"b":["1","2"],"c":true})");
  CHECK(request["headers"].dump() == R"({"x-a":["1","2"]})");
}

TEST_CASE("credentials in an entry read REDACTED") {
  FakeExchange exchange({.target = "/?apikey=topsecret&a=1",
                         .fields = {{"Authorization", "topsecret"},
                                    {"Proxy-Authorization", "topsecret"},
                                    {"ApiKey", "topsecret"}}});
  exchange.gateway = GatewayWithKeys();
  PluginUnderTest plugin("key-auth", R"({"hide_credentials": false})");
  plugin.Request(exchange);
  const std::string text = plugins::SerializeExchange(exchange);
  CHECK(text.find("topsecret") == std::string::npos);
  CHECK(Json::parse(text)["request"]["headers"]["authorization"] == "REDACTED");
  CHECK(Json::parse(text)["upstream_uri"] == "/?apikey=REDACTED&a=1");
}

TEST_CASE("an entry tells how long each part took") {
  FakeExchange exchange;
  exchange.started = MonotonicTime(milliseconds(1000));
  exchange.upstream_sent = MonotonicTime(milliseconds(1003));
  exchange.upstream_answered = MonotonicTime(milliseconds(1013));
  exchange.ended = MonotonicTime(milliseconds(1020));
  exchange.started_wall = WallTime(milliseconds(1'700'000'000'042));
  Json entry = Entry(exchange);
  CHECK(entry["latencies"].dump() == R"({"request":20,"kong":3,"proxy":10,"receive":7})");
  CHECK(entry["started_at"] == 1'700'000'000'042);
}

TEST_CASE("an entry without an upstream says so") {
  FakeExchange exchange;
  exchange.status = 401;
  exchange.source = Source::kPlugin;
  Json entry = Entry(exchange);
  CHECK(entry["latencies"]["proxy"] == -1);
  CHECK(entry["source"] == "kong");
  CHECK(entry["response"].dump() == R"({"status":401,"size":0,"headers":{}})");
  CHECK_FALSE(entry.contains("upstream_status"));
}

TEST_CASE("an entry names route, service, consumer and tries") {
  FakeExchange exchange;
  Service service;
  service.id = "s";
  Route route;
  route.id = "r";
  route.service = &service;
  const Consumer consumer{.id = "c", .username = "ann", .custom_id = "1"};
  exchange.match.route = &route;
  exchange.service = &service;
  exchange.consumer = &consumer;
  exchange.credential_id = "k";
  exchange.upstream_status = 200;
  exchange.source = Source::kUpstream;
  exchange.tries = {{"192.0.2.7", 80, milliseconds(2), "refused"}, {"192.0.2.8", 80, milliseconds(1), ""}};
  Json entry = Entry(exchange);
  CHECK(entry["route"]["service"]["id"] == "s");
  CHECK(entry["service"]["id"] == "s");
  CHECK(entry["consumer"].dump() == R"({"id":"c","username":"ann","custom_id":"1"})");
  CHECK(entry["authenticated_entity"].dump() == R"({"id":"k","consumer_id":"c"})");
  CHECK(entry["upstream_status"] == 200);
  CHECK(entry["tries"][0]["reason"] == "refused");
  CHECK(entry["tries"][1].dump() == R"({"ip":"192.0.2.8","port":80,"balancer_latency":1})");
}

TEST_CASE("bytes that are no UTF-8 do not spoil an entry") {
  FakeExchange exchange({.fields = {{"x", "\xff"}}});
  CHECK(Entry(exchange)["request"]["headers"]["x"] == "\xef\xbf\xbd");
}

TEST_CASE("endpoint and headers are checked when they are written") {
  CHECK(Refusal("http-log", "{}").starts_with("http_endpoint: "));
  CHECK(Refusal("http-log", R"({"http_endpoint": "http://a.test", "headers": {"Host": "x"}})") ==
        "headers.Host: is decided by http_endpoint, content_type and the entry; leave it out");
  CHECK(Refusal("http-log", R"({"http_endpoint": "http://a:b@a.test", "headers": {"Authorization": "x"}})") ==
        "headers.authorization: cannot be used with a user and password in http_endpoint");
  CHECK(Refusal("http-log", R"({"http_endpoint": "http://a.test", "custom_fields_by_lua": {"a": "return 1"}})")
            .starts_with("custom_fields_by_lua: Lua does not run on nodes;"));
}

}  // namespace
}  // namespace sluice::test
