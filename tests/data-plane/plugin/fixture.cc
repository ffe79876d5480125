#include "tests/data-plane/plugin/fixture.h"

#include "catch2/catch.hpp"
#include "common/config/plugin_catalogue.h"
#include "common/config/plugin_rules.h"
#include "common/schema/schema.h"
#include "common/schema/text.h"
#include "data-plane/route/gateway.h"
#include "google/protobuf/text_format.h"

namespace sluice::test {
namespace {

std::unique_ptr<google::protobuf::Message> Decode(std::string_view name, std::string_view json,
                                                  schema::Violations& violations) {
  const config::PluginEntry* entry = config::FindPlugin(name);
  REQUIRE(entry != nullptr);
  REQUIRE(entry->config != nullptr);
  google::protobuf::Struct document;
  std::string error;
  REQUIRE(schema::ParseJson(json, document, error));
  const auto* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(entry->config);
  std::unique_ptr<google::protobuf::Message> message(prototype->New());
  schema::Decode(document, "", *message, violations);
  schema::FillDefaults(*message);
  schema::Check(*message, "", true, violations);
  config::CheckPluginRules(*message, schema::Place(""), violations);
  return message;
}

}  // namespace

PluginUnderTest::PluginUnderTest(std::string_view name, std::string_view json) {
  env_.instance_id = "11111111-1111-4111-8111-111111111111";
  env_.state = std::make_shared<GatewayState>();
  schema::Violations violations;
  std::unique_ptr<google::protobuf::Message> config = Decode(name, json, violations);
  if (!violations.empty()) FAIL(violations.list()[0].field << ": " << violations.list()[0].message);
  for (const PluginType& type : BuiltinPlugins()) {
    if (type.name != name) continue;
    auto made = type.make(*config, env_);
    if (!made.ok()) FAIL(made.status().ToString());
    plugin_ = *std::move(made);
  }
  REQUIRE(plugin_ != nullptr);
}

Verdict PluginUnderTest::Request(Exchange& exchange) const { return RunNow(plugin_->OnRequest(exchange)); }

std::map<std::string, std::string> PluginUnderTest::Response(Exchange& exchange, int status,
                                                             std::map<std::string, std::string> fields) const {
  http::ResponseHead head;
  head.status = status;
  for (const auto& [name, value] : fields) head.fields.Add(name, value);
  plugin_->OnResponse(exchange, head);
  return FieldsOf(head.fields);
}

std::string Refusal(std::string_view name, std::string_view json) {
  schema::Violations violations;
  Decode(name, json, violations);
  if (violations.empty()) return "";
  return violations.list()[0].field + ": " + violations.list()[0].message;
}

std::shared_ptr<const Gateway> GatewayWithKeys() {
  config::v1::GatewayConfig config;
  // The keys are the SHA-256 of "secret" and of "old".
  REQUIRE(google::protobuf::TextFormat::ParseFromString(R"pb(
    id: "99999999-9999-4999-8999-999999999999" name: "test" version: 1 hosts: "a.test"
    consumers { id: "11111111-1111-4111-8111-111111111111" username: "ann" custom_id: "a-1" }
    consumers { id: "22222222-2222-4222-8222-222222222222" username: "guest" }
    key_auths { id: "33333333-3333-4333-8333-333333333333" consumer: "11111111-1111-4111-8111-111111111111"
      key: "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" }
    key_auths { id: "44444444-4444-4444-8444-444444444444" consumer: "11111111-1111-4111-8111-111111111111"
      key: "sha256:cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4" ttl: 10 updated_at: 1699999990 }
  )pb", &config));
  *config.mutable_plan() = config::ServerlessPlan();
  auto gateway = Gateway::Compile(config, BuiltinPlugins(), {}, std::make_shared<GatewayState>());
  if (!gateway.ok()) FAIL(gateway.status().ToString());
  return *gateway;
}

std::map<std::string, std::string> FieldsOf(const http::Fields& fields) {
  std::map<std::string, std::string> out;
  for (const http::Field& field : fields) {
    std::string& value = out[schema::Lower(field.name)];
    if (!value.empty()) value += " | ";
    value += field.value;
  }
  return out;
}

std::string ReplyField(const Reply& reply, std::string_view name) {
  for (const auto& [field, value] : reply.fields) {
    if (field == name) return std::string(value);
  }
  return "";
}

}  // namespace sluice::test
