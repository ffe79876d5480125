// What a gateway may say of plugins, whatever the plugin.

#include "catch2/catch.hpp"
#include "sluice/plugins/v1/rate_limiting.pb.h"
#include "tests/common/config/support.h"

namespace sluice::config {
namespace {

v1::Plan Allowing(const std::string& plugin) {
  v1::Plan plan = ServerlessPlan();
  plan.add_allow_plugins(plugin);
  return plan;
}

TEST_CASE("a plugin nobody knows is refused, with the nearest known name") {
  const Outcome outcome = Apply(R"("plugins":[{"name":"rate-limitng"}])");
  CHECK(outcome.text() == "plugins[0].name: plugin 'rate-limitng' is not known, did you mean 'rate-limiting'?");
  CHECK(outcome.reason() == "UNKNOWN_PLUGIN");
}

TEST_CASE("a known plugin that does not exist here yet is refused as such") {
  CHECK(Apply(R"("plugins":[{"name":"jwt"}])").reason() == "NOT_YET_SUPPORTED");
}

TEST_CASE("a restricted plugin that the plan allows is still not supported without a schema") {
  CHECK(Apply(R"("plugins":[{"name":"prometheus"}])").reason() == "STATUS_API");
  CHECK(Apply(Document(R"("plugins":[{"name":"prometheus"}])"), Allowing("prometheus")).reason() ==
        "NOT_YET_SUPPORTED");
}

TEST_CASE("a plugin's configuration is stored with every default") {
  const auto config = Good(R"("plugins":[{"name":"rate-limiting","config":{"minute":5}}])");
  const auto& fields = config.plugins(0).config().fields();
  CHECK(fields.at("minute").number_value() == 5);
  CHECK(fields.at("limit_by").string_value() == "consumer");
  CHECK(fields.at("error_code").number_value() == 429);
}

TEST_CASE("mistakes in a plugin's configuration are named below config") {
  CHECK(Apply(R"("plugins":[{"name":"rate-limiting","config":{"minuet":5}}])").text() ==
        "plugins[0].config.minuet: unknown field, did you mean 'minute'?");
  CHECK(Apply(R"("plugins":[{"name":"cors","config":{"methods":["GET","FETCH"]}}])").field() ==
        "plugins[0].config.methods[1]");
  CHECK(Apply(R"("plugins":[{"name":"ip-restriction"}])").field().find("plugins[0].config") == 0);
}

TEST_CASE("a restricted value is refused with its reason") {
  const Outcome outcome = Apply(R"("plugins":[{"name":"rate-limiting","config":{"second":1,"policy":"redis"}}])");
  CHECK(outcome.field() == "plugins[0].config.policy");
  CHECK(outcome.reason() == "NOT_ON_SERVERLESS");
}

TEST_CASE("assuming an AWS role is refused with its reason, wherever it stands") {
  const Outcome outcome = Apply(R"("plugins":[{"name":"rate-limiting","config":{"second":1,
      "redis":{"cloud_authentication":{"aws_assume_role_arn":"arn:aws:iam::1:role/r"}}}}])");
  REQUIRE_FALSE(outcome.violations.empty());
  CHECK(outcome.violations.list()[0].reason == "AWS_ASSUME_ROLE");
  CHECK(outcome.violations.list()[0].field == "plugins[0].config.redis.cloud_authentication.aws_assume_role_arn");
}

TEST_CASE("authentication cannot be scoped to a consumer") {
  CHECK(Apply(R"("consumers":[{"username":"c","plugins":[{"name":"key-auth"}]}])").text() ==
        "consumers[0].plugins[0].consumer: value must be null: key-auth cannot be scoped to a consumer");
}

TEST_CASE("a plugin is there once for each scope") {
  CHECK(Apply(R"("plugins":[{"name":"cors"},{"name":"cors","instance_name":"again"}])").text() ==
        "plugins[1]: there is another plugin 'cors' for the same service, route and consumer");
  CHECK(Good(R"("plugins":[{"name":"cors"}],"services":[{"name":"s","host":"a.test","plugins":[{"name":"cors"}]}])")
            .plugins_size() == 2);
}

TEST_CASE("an instance name is unique") {
  CHECK(Apply(R"("plugins":[{"name":"cors","instance_name":"i"},{"name":"key-auth","instance_name":"i"}])").text() ==
        "plugins[1].instance_name: 'i' is used by another plugin");
}

TEST_CASE("a plugin's protocols meet its route's, or those of a route of its service") {
  CHECK(Apply(R"("routes":[{"name":"r","paths":["/"],"protocols":["https"],
      "plugins":[{"name":"cors","protocols":["http"]}]}])")
            .text() == "routes[0].plugins[0].protocols: must match the associated route's protocols");
  CHECK(Apply(R"("services":[{"name":"s","host":"a.test","plugins":[{"name":"cors","protocols":["http"]}],
      "routes":[{"name":"r","paths":["/"],"protocols":["https"]}]}])")
            .field() == "services[0].plugins[0].protocols");
}

TEST_CASE("shared plugin configurations fill in what a plugin leaves out") {
  const auto config = Good(R"("_plugin_configs":{"slow":{"second":1,"error_code":503}},
      "plugins":[{"name":"rate-limiting","_config":"slow","config":{"second":9}}])");
  CHECK(config.plugins(0).config().fields().at("second").number_value() == 9);
  CHECK(config.plugins(0).config().fields().at("error_code").number_value() == 503);
  CHECK(Apply(R"("plugins":[{"name":"cors","_config":"gone"}])").field() == "plugins[0]._config");
}

TEST_CASE("a node gets a plugin's configuration as its message, defaults filled in") {
  v1::Plugin plugin;
  plugin.set_name("rate-limiting");
  (*plugin.mutable_config()->mutable_fields())["hour"].set_number_value(7);
  const auto message = DecodePluginConfig(plugin);
  REQUIRE(message.ok());
  const auto* config = dynamic_cast<const plugins::v1::RateLimiting*>(message->get());
  REQUIRE(config != nullptr);
  CHECK(config->hour() == 7);
  CHECK(config->policy() == "local");
}

TEST_CASE("a plugin's configuration that is wrong is an error with its field") {
  v1::Plugin plugin;
  plugin.set_name("rate-limiting");
  (*plugin.mutable_config()->mutable_fields())["hour"].set_string_value("7");
  CHECK(DecodePluginConfig(plugin).status().message() == "config.hour: expected an integer, not a string");
  plugin.set_name("gone");
  CHECK_FALSE(DecodePluginConfig(plugin).ok());
}

}  // namespace
}  // namespace sluice::config
