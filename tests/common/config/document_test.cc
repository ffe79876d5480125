// Documents there and back.

#include "catch2/catch.hpp"
#include "tests/common/config/support.h"

namespace sluice::config {
namespace {

constexpr const char* kRich = R"(
  "_info": {}, "_plugin_configs": {"slow": {"second": 1}},
  "services": [
    {"name": "orders", "url": "https://orders.test/base", "retries": 2, "tags": ["blue"],
     "plugins": [{"name": "key-auth", "config": {"key_names": ["apikey", "x-key"], "hide_credentials": false}}],
     "routes": [
       {"name": "list", "paths": ["/orders", "~/orders/[0-9]+$"], "methods": ["GET"], "strip_path": false,
        "headers": {"x-version": ["1", "2"]},
        "plugins": [{"name": "rate-limiting", "_config": "slow"},
                    {"name": "rate-limiting", "consumer": "ann", "instance_name": "ann-fast",
                     "config": {"second": 50}}]},
       {"paths": ["/unnamed"]}, {"paths": ["/unnamed"]}]},
    {"host": "legacy", "routes": [{"name": "old", "hosts": ["old.test", "*.old.test"]}]}],
  "routes": [{"name": "alone", "paths": ["/maintenance"],
              "plugins": [{"name": "request-termination", "config": {"status_code": 503, "message": "later"}}]}],
  "plugins": [{"name": "correlation-id"}, {"name": "cors", "service": {"name": "orders"}, "enabled": false}],
  "consumers": [{"username": "ann", "custom_id": "7", "keyauth_credentials": [{"key": "k1", "ttl": 60}, {"key": "k2"}]},
                {"custom_id": "8", "keyauth_credentials": [{"key": "k3"}],
                 "plugins": [{"name": "ip-restriction", "route": "old", "config": {"deny": ["10.0.0.0/8"]}}]}],
  "upstreams": [{"name": "legacy", "targets": [{"target": "a.test", "weight": 5}, {"target": "b.test:81"}]}])";

TEST_CASE("applying a rich document twice changes nothing") {
  const auto config = Good(kRich);
  CHECK(config.routes_size() == 5);
  CHECK(config.plugins_size() == 7);
  CHECK(Text(Changes(config, Document(kRich))) == "");
}

TEST_CASE("a written document means the same configuration") {
  const auto config = Good(kRich);
  CHECK(Text(Changes(config, WriteDocument(config))) == "");
  CHECK(Apply(WriteDocument(config)).text() == "");
}

TEST_CASE("writing what was read from a written document gives the same text") {
  const auto written = WriteDocument(Good(R"("services":[{"name":"s","host":"a.test","routes":[{"paths":["/"]}]}])"));
  CHECK(schema::ToJson(WriteDocument(Apply(written).config)) == schema::ToJson(written));
}

TEST_CASE("a document nests, leaves defaults out and refers by name") {
  const auto config = Good(R"("services":[{"name":"s","host":"a.test","port":80}],
      "routes":[{"name":"r","paths":["/"],"service":{"name":"s"},"strip_path":true}],
      "plugins":[{"name":"key-auth","route":"r"},{"name":"ip-restriction","service":"s","consumer":"c",
                  "config":{"allow":["1.2.3.4"]}}],
      "consumers":[{"username":"c"}],"keyauth_credentials":[{"consumer":"c","key":"foo"}],
      "upstreams":[{"name":"u"}],"targets":[{"upstream":"u","target":"a.test"}])");
  CHECK(schema::ToJson(WriteDocument(config)) ==
        R"({"_format_version":"3.0","consumers":[{"keyauth_credentials":[{"key":)"
        R"("sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"}],"username":"c"}],)"
        R"("services":[{"host":"a.test","name":"s","plugins":[{"config":{"allow":["1.2.3.4"]},"consumer":"c",)"
        R"("name":"ip-restriction"}],"routes":[{"name":"r","paths":["/"],"plugins":[{"name":"key-auth"}]}]}],)"
        R"("upstreams":[{"name":"u","targets":[{"target":"a.test:8000"}]}]})");
}

TEST_CASE("ids are written only where there is no name") {
  const auto config = Good(R"("services":[{"host":"a.test"}])");
  CHECK(schema::ToJson(WriteDocument(config)) ==
        R"({"_format_version":"3.0","services":[{"host":"a.test","id":")" + config.services(0).id() + R"("}]})");
}

TEST_CASE("times are never written") {
  auto config = Good(R"("consumers":[{"username":"c"}])");
  config.mutable_consumers(0)->set_created_at(5);
  CHECK(schema::ToJson(WriteDocument(config)) == R"({"_format_version":"3.0","consumers":[{"username":"c"}]})");
}

TEST_CASE("a nameless route keeps its identity while it is not edited") {
  const std::string document = R"("routes":[{"paths":["/a"]},{"paths":["/a"]}])";
  CHECK(Good(document).routes_size() == 2);
  CHECK(ToBytes(Good(document)) == ToBytes(Good(document)));
}

TEST_CASE("numbers in a plugin's configuration stay numbers") {
  const auto config = Good(R"("plugins":[{"name":"http-log","config":{"http_endpoint":"http://a.test",
      "queue":{"initial_retry_delay":0.25,"max_bytes":4294967296}}}])");
  const std::string text = schema::ToJson(WriteDocument(config));
  CHECK(text.find(R"("queue":{"initial_retry_delay":0.25,"max_bytes":4294967296})") != std::string::npos);
}

}  // namespace
}  // namespace sluice::config
