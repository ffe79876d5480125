#include "catch2/catch.hpp"
#include "sluice/plugins/v1/http_log.pb.h"
#include "tests/common/schema/support.h"

namespace sluice::schema {
namespace {

using config::v1::Route;

TEST_CASE("absent fields get their defaults, written ones keep their values") {
  auto route = Read<Route>(R"({"strip_path":false})");
  FillDefaults(route);
  CHECK_FALSE(route.strip_path());
  CHECK(route.https_redirect_status_code() == 426);
  CHECK(route.path_handling() == "v0");
  CHECK(route.protocols_size() == 2);
}

TEST_CASE("an empty object as default is filled with its own defaults") {
  plugins::v1::HttpLog config;
  FillDefaults(config);
  CHECK(config.queue().max_batch_size() == 1);
  CHECK(config.queue().initial_retry_delay() == 0.01);
}

// Defaults are copied at once where none of the fields is there, else one by one.
TEST_CASE("a message with any one of its defaults is filled like an empty one") {
  const auto* kinds = config::v1::Entity::descriptor()->oneof_decl(0);
  for (int i = 0; i < kinds->field_count(); ++i) {
    const auto* type = kinds->field(i)->message_type();
    const auto* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
    const std::unique_ptr<google::protobuf::Message> full(prototype->New()), some(prototype->New());
    FillDefaults(*full);
    for (int k = 0; k < type->field_count(); ++k) {
      some->CopyFrom(*full);
      for (int j = 0; j < type->field_count(); ++j) {
        if (j != k) some->GetReflection()->ClearField(some.get(), type->field(j));
      }
      FillDefaults(*some);
      CHECK(some->SerializeAsString() == full->SerializeAsString());
    }
  }
}

TEST_CASE("stripping leaves what a person wrote") {
  auto route = Read<Route>(R"({"name":"r","strip_path":false,"protocols":["https"]})");
  FillDefaults(route);
  StripDefaults(route);
  CHECK(ToJson(Encode(route)) == R"({"name":"r","protocols":["https"],"strip_path":false})");
}

TEST_CASE("stripping a nested message that is all defaults leaves nothing of it") {
  auto config = Read<plugins::v1::HttpLog>(R"({"http_endpoint":"http://a.test"})");
  FillDefaults(config);
  StripDefaults(config);
  CHECK(ToJson(Encode(config)) == R"({"http_endpoint":"http://a.test"})");
}

TEST_CASE("encoding unwraps lists, writes references as text and leaves absent fields out") {
  const char* json = R"({"headers":{"x-a":["1"]},"service":"s"})";
  CHECK(ToJson(Encode(Read<Route>(json))) == json);
}

TEST_CASE("a schema tells types, bounds, defaults and what must be there") {
  const std::string schema = ToJson(Describe(*config::v1::Target::descriptor()));
  CHECK(schema.find(R"("weight":{"default":100,"maximum":65535,"minimum":0,"type":"integer"})") != std::string::npos);
  CHECK(schema.find(R"("required":["upstream","target"])") != std::string::npos);
  CHECK(schema.find(R"("additionalProperties":false)") != std::string::npos);
  CHECK(schema.find(R"("created_at":{"readOnly":true,"type":"integer"})") != std::string::npos);
}

TEST_CASE("a plugin's schema has its name and description") {
  const auto schema = Describe(*plugins::v1::HttpLog::descriptor());
  CHECK(schema.fields().at("title").string_value() == "http-log");
  CHECK_FALSE(schema.fields().at("description").string_value().empty());
}

}  // namespace
}  // namespace sluice::schema
