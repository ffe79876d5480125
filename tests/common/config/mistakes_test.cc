// Mistakes in documents: each is named by the place where its author wrote it.

#include "catch2/catch.hpp"
#include "tests/common/config/support.h"

namespace sluice::config {
namespace {

TEST_CASE("an unknown field is named by its document path") {
  CHECK(Apply(R"("services":[{"name":"s","host":"a.test"},{"name":"t","host":"b.test","hots":"x"}])").text() ==
        "services[1].hots: unknown field, did you mean 'host'?");
}

TEST_CASE("a wrong type is named by its document path") {
  CHECK(Apply(R"("services":[{"name":"s","host":"a.test","routes":[{"name":"r","paths":["/a",7]}]}])").text() ==
        "services[0].routes[0].paths[1]: expected a string, not a number");
}

TEST_CASE("a value out of range is named by its document path") {
  CHECK(Apply(R"("services":[{"name":"s","host":"a.test","port":65536}])").text() ==
        "services[0].port: value should be between 0 and 65535");
}

TEST_CASE("a reference to nothing is named by its document path") {
  const Outcome outcome = Apply(R"("routes":[{"name":"r","paths":["/"],"service":{"name":"gone"}}])");
  CHECK(outcome.text() == "routes[0].service: there is no service 'gone'");
  CHECK(outcome.reason() == "DANGLING_REFERENCE");
}

TEST_CASE("of two equal names the later one in the document is at fault") {
  for (int i = 0; i < 20; ++i) {  // ids are random, and so is the canonical order
    const Outcome outcome = Apply(R"("services":[{"name":"s","host":"a.test"},{"name":"s","host":"b.test"}])");
    CHECK(outcome.text() == "services[1].name: 's' is used by another service");
    CHECK(outcome.reason() == "DUPLICATE");
  }
}

TEST_CASE("a regex that does not compile is named with RE2's error") {
  CHECK(Apply(R"("routes":[{"name":"r","paths":["/a","~/b(c"]}])").text() ==
        "routes[0].paths[1]: invalid regex: missing ): /b(c at '/b(c'");
}

TEST_CASE("a restricted plugin is refused with its reason where it is named") {
  const Outcome outcome =
      Apply(R"("services":[{"name":"s","host":"a.test","plugins":[{"name":"key-auth"},{"name":"file-log"}]}])");
  CHECK(outcome.field() == "services[0].plugins[1].name");
  CHECK(outcome.reason() == "LOCAL_AGENT");
  CHECK(outcome.text().find("http-log") != std::string::npos);
}

TEST_CASE("an over-long name is named by its document path") {
  CHECK(Apply(R"("services":[{"name":")" + std::string(256, 'n') + R"(","host":"a.test"}])").text() == "");
  CHECK(Apply(R"("services":[{"name":")" + std::string(257, 'n') + R"(","host":"a.test"}])").text() ==
        "services[0].name: length must be at most 256");
}

TEST_CASE("invalid UTF-8 is named by its document path") {
  google::protobuf::Struct document = Document(R"("services":[{"name":"s","host":"a.test","tags":["t"]}])");
  auto& services = *(*document.mutable_fields())["services"].mutable_list_value();
  auto& tags = (*services.mutable_values(0)->mutable_struct_value()->mutable_fields())["tags"];
  tags.mutable_list_value()->mutable_values(0)->set_string_value("\xfe");
  CHECK(Apply(document).text() == "services[0].tags[0]: invalid UTF-8");
}

TEST_CASE("nesting that is too deep is named by its document path") {
  std::string path = "plugins[0].config";  // the plugin is the first level, its configuration the second
  google::protobuf::Value deep;
  for (int i = 0; i < schema::kMaxDepth; ++i) {
    google::protobuf::Value outer;
    (*outer.mutable_struct_value()->mutable_fields())["a"] = deep;
    deep = outer;
  }
  for (int i = 0; i < schema::kMaxDepth - 1; ++i) path += ".a";
  google::protobuf::Struct document = Document(R"("plugins":[{"name":"cors"}])");
  auto& plugins = *(*document.mutable_fields())["plugins"].mutable_list_value();
  (*plugins.mutable_values(0)->mutable_struct_value()->mutable_fields())["config"] = deep;
  CHECK(Apply(document).text() == path + ": nested deeper than 32");
}

TEST_CASE("too many items are named by their document path") {
  std::string tags;
  for (int i = 0; i < 65; ++i) tags += (i == 0 ? "\"t" : ",\"t") + std::to_string(i) + "\"";
  CHECK(Apply(R"("services":[{"name":"s","host":"a.test","tags":[)" + tags + "]}]").text() ==
        "services[0].tags: has 65 items, at most 64 are allowed");
}

TEST_CASE("an unknown top-level key is named, with the nearest known one") {
  CHECK(Apply(R"("serivces":[])").text() == "serivces: unknown key, did you mean 'services'?");
}

TEST_CASE("kinds that are not offered yet are refused where they have entries") {
  CHECK(Apply(R"("vaults":[],"keys":null)").text() == "");
  CHECK(Apply(R"("vaults":[{"name":"env"}])").reason() == "NOT_YET_SUPPORTED");
  CHECK(Apply(R"("consumers":[{"username":"c","acls":[{"group":"g"}]}])").field() == "consumers[0].acls");
}

TEST_CASE("a document names its version, in quotes") {
  CHECK(Apply(Json("{}")).text() == "_format_version: required field missing; write _format_version: \"3.0\"");
  CHECK(Apply(Json(R"({"_format_version":3})")).text() ==
        "_format_version: expected a string; write \"3.0\" in quotes");
  CHECK(Apply(Json(R"({"_format_version":"2.0"})")).text() == "_format_version: expected one of: 1.1, 3.0");
  CHECK(Apply(Json(R"({"_format_version":"1.1","_comment":"x"})")).text() == "");
}

TEST_CASE("tags that select are refused rather than ignored") {
  CHECK(Apply(R"("_info":{"select_tags":["blue"]})").field() == "_info.select_tags");
  CHECK(Apply(R"("_info":{"select_tags":[]})").text() == "");
}

TEST_CASE("a credential in a document has a key, and it is never repeated") {
  CHECK(Apply(R"("consumers":[{"username":"c","keyauth_credentials":[{"tags":["a"]}]}])").field() ==
        "consumers[0].keyauth_credentials[0].key");
  const Outcome twice =
      Apply(R"("consumers":[{"username":"c","keyauth_credentials":[{"key":"hush"},{"key":"hush"}]}])");
  CHECK(twice.text() == "consumers[0].keyauth_credentials[1].key: the key is used by another credential");
}

TEST_CASE("a nested entity that names another parent is refused") {
  CHECK(Apply(R"("services":[{"name":"s","host":"a.test","routes":[{"name":"r","paths":["/"],"service":"t"}]}])")
            .text() == "services[0].routes[0].service: is set by where it is nested; leave it out");
}

TEST_CASE("every mistake is told at once") {
  CHECK(Apply(R"("services":[{"name":"s"}],"routes":[{"name":"r","service":"s"}],"plugins":[{"name":"kye-auth"}])")
            .text() ==
        "services[0].host: required field missing\n"
        "routes[0]: must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'\n"
        "plugins[0].name: plugin 'kye-auth' is not known, did you mean 'key-auth'?");
}

TEST_CASE("without a document, entities are named by name or id") {
  v1::GatewayConfig config;
  config.add_services()->set_name("s");
  config.add_services()->set_id("3a9c1d52-6d2f-4b8e-9a43-0f1e2d3c4b5a");
  schema::Violations violations;
  Complete(config, violations);
  Validate(config, {}, violations);
  CHECK(Text(violations).find("services[s].host: required field missing") != std::string::npos);
  CHECK(Text(violations).find("services[3a9c1d52-6d2f-4b8e-9a43-0f1e2d3c4b5a].host: required") != std::string::npos);
}

}  // namespace
}  // namespace sluice::config
