#include <limits>

#include "catch2/catch.hpp"
#include "tests/common/schema/support.h"

namespace sluice::schema {
namespace {

TEST_CASE("an object is read into a message by field name") {
  const auto route = Read<config::v1::Route>(
      R"({"name":"r","paths":["/a","/b"],"strip_path":false,"regex_priority":3,"headers":{"x-a":["1","2"]}})");
  CHECK(route.name() == "r");
  CHECK(route.paths(1) == "/b");
  CHECK(route.has_strip_path());
  CHECK_FALSE(route.strip_path());
  CHECK(route.regex_priority() == 3);
  CHECK(route.headers().at("x-a").values(1) == "2");
}

TEST_CASE("an unknown field is named, with the nearest known one") {
  CHECK(Wrong<config::v1::Route>(R"({"pathes":["/a"]})") == "at.pathes: unknown field, did you mean 'paths'?");
}

TEST_CASE("a field of somebody else's is passed over, in the outermost object only") {
  config::v1::Route route;
  Violations violations;
  constexpr std::string_view kOthers[] = {"plugins", "name"};
  Decode(Json(R"({"plugins":[],"name":"r","paths":["/a"],"headers":{"name":5}})"), Place("at"), route, violations,
         kOthers);
  CHECK(Text(violations) == "at.headers.name: expected an array, not a number");
  CHECK_FALSE(route.has_name());
  CHECK(route.paths(0) == "/a");
}

TEST_CASE("an unknown field that is like none is named alone") {
  CHECK(Wrong<config::v1::Route>(R"({"zebra":1})") == "at.zebra: unknown field");
}

TEST_CASE("a value of another type is named by its place in the list") {
  CHECK(Wrong<config::v1::Route>(R"({"paths":["/a",5]})") == "at.paths[1]: expected a string, not a number");
  CHECK(Wrong<config::v1::Route>(R"({"paths":"/a"})") == "at.paths: expected an array, not a string");
  CHECK(Wrong<config::v1::Route>(R"({"strip_path":"yes"})") == "at.strip_path: expected a boolean, not a string");
  CHECK(Wrong<config::v1::Service>(R"({"port":"80"})") == "at.port: expected an integer, not a string");
  CHECK(Wrong<config::v1::Route>(R"({"headers":{"x":"1"}})") == "at.headers.x: expected an array, not a string");
  CHECK(Wrong<config::v1::Plugin>(R"({"config":[]})") == "at.config: expected an object, not an array");
}

TEST_CASE("a fraction is not an integer, and an integer must fit its type") {
  CHECK(Wrong<config::v1::Service>(R"({"port":80.5})") == "at.port: expected an integer");
  CHECK(Wrong<config::v1::Service>(R"({"port":2147483648})") ==
        "at.port: value should be between -2147483648 and 2147483647");
  CHECK(Wrong<config::v1::Service>(R"({"port":2147483647})").empty());
}

TEST_CASE("null is absence") {
  CHECK_FALSE(Read<config::v1::Service>(R"({"port":null,"zebra":null})").has_port());
}

TEST_CASE("a reference is a name, or an object with name or id") {
  CHECK(Read<config::v1::Route>(R"({"service":"s"})").service() == "s");
  CHECK(Read<config::v1::Route>(R"({"service":{"name":"s"}})").service() == "s");
  CHECK(Read<config::v1::Route>(R"({"service":{"id":"i","name":"s"}})").service() == "i");
  CHECK(Wrong<config::v1::Route>(R"({"service":{"host":"s"}})") ==
        "at.service: expected a name, or an object with name or id");
}

TEST_CASE("what the server sets is ignored when it is sent") {
  CHECK(Read<config::v1::Route>(R"({"created_at":17})").created_at() == 0);
}

TEST_CASE("an empty list does not silently become a default") {
  CHECK(Wrong<config::v1::Route>(R"({"protocols":[]})") ==
        "at.protocols: length must be at least 1; leave it out for its default");
  CHECK(Wrong<config::v1::Route>(R"({"paths":[]})").empty());
}

TEST_CASE("nesting is bounded, and the first level too many is named") {
  google::protobuf::Struct in = Nested(kMaxDepth - 1);  // the object around it is the first level
  config::v1::Plugin plugin;
  Violations good, bad;
  Decode(in, "", plugin, good);
  CHECK(good.empty());
  Decode(Nested(kMaxDepth), "", plugin, bad);
  REQUIRE(bad.total() == 1);
  std::string path = "config";
  for (int i = 1; i < kMaxDepth; ++i) path += ".a";
  CHECK(bad.list()[0].field == path);
}

TEST_CASE("invalid UTF-8 is named by its field and never repeated") {
  google::protobuf::Struct in;
  (*in.mutable_fields())["name"].set_string_value("\xff");
  config::v1::Service service;
  Violations violations;
  Decode(in, "services[0]", service, violations);
  REQUIRE(violations.total() == 1);
  CHECK(violations.list()[0].field == "services[0].name");
  CHECK(violations.list()[0].message == "invalid UTF-8");
}

TEST_CASE("a number that is not finite is refused") {
  google::protobuf::Struct in;
  (*in.mutable_fields())["port"].set_number_value(std::numeric_limits<double>::quiet_NaN());
  config::v1::Service service;
  Violations violations;
  Decode(in, "", service, violations);
  CHECK(Text(violations) == "port: expected a finite number");
}

TEST_CASE("violations beyond a hundred are counted and dropped") {
  Violations violations;
  for (int i = 0; i <= 100; ++i) violations.Add("f" + std::to_string(i), "m");
  CHECK(violations.list().size() == 100);
  CHECK(violations.total() == 101);
}

}  // namespace
}  // namespace sluice::schema
