#include "control-plane/cli/yaml.h"

#include "catch2/catch.hpp"
#include "common/schema/schema.h"
#include "control-plane/cli/yaml_writer.h"

using namespace sluice;
using cli::Document;
using cli::YamlError;

namespace {

std::optional<std::string> Variable(const std::string& name) {
  return name == "DECK_PORT" ? std::optional<std::string>("8080") : std::nullopt;
}

// As JSON, or the error with its place.
std::string Read(const std::string& text) {
  Document document;
  YamlError error;
  if (cli::ReadYaml(text, Variable, document, error)) return schema::ToJson(document.value);
  return std::to_string(error.position.line) + ":" + std::to_string(error.position.column) + ": " + error.message;
}

// What `a` is read as.
std::string Value(const std::string& scalar) {
  const std::string json = Read("a: " + scalar + "\n");
  return json.starts_with("{\"a\":") ? json.substr(5, json.size() - 6) : json;
}

std::string PositionOf(const std::string& text, const std::string& field) {
  Document document;
  YamlError error;
  REQUIRE(cli::ReadYaml(text, Variable, document, error));
  const auto position = document.Find(field);
  return position ? std::to_string(position->line) + ":" + std::to_string(position->column) : "none";
}

std::string Nested(int depth) {
  return "a: " + std::string(depth, '[') + std::string(depth, ']');
}

const std::string kFile = R"(_format_version: "3.0"
services:
- name: a
  routes:
  - name: r
    paths:
    - /x
    - bad
)";

}  // namespace

TEST_CASE("quoted scalars are strings, whatever they look like") {
  CHECK(Value("\"3.0\"") == "\"3.0\"");
  CHECK(Value("'true'") == "\"true\"");
  CHECK(Value("!!str 12") == "\"12\"");
}

TEST_CASE("plain scalars are null, booleans, numbers and else strings") {
  CHECK(Value("~") == "null");
  CHECK(Value("") == "null");
  CHECK(Value("true") == "true");
  CHECK(Value("3.0") == "3");
  CHECK(Value("-1.5e3") == "-1500");
  CHECK(Value("0x1F") == "31");
  CHECK(Value("1.2.3") == "\"1.2.3\"");
}

TEST_CASE("yes, no, on and off are strings") {
  CHECK(Value("yes") == "\"yes\"");
  CHECK(Value("no") == "\"no\"");
  CHECK(Value("on") == "\"on\"");
}

TEST_CASE("integers are exact below 2^53 and refused from it, also where they would be rounded to it") {
  CHECK(Value("9007199254740991") == "9007199254740991");
  CHECK(Value("9007199254740992").find("cannot be kept exactly") != std::string::npos);
  CHECK(Value("9007199254740993") ==
        "1:4: the number 9007199254740993 cannot be kept exactly; quote it if it is meant as text");
}

TEST_CASE("infinity is not a number that can be configured") {
  CHECK(Value(".inf") == "1:4: .inf is not a number that can be configured");
}

TEST_CASE("a field's position is its key, an item's its own") {
  CHECK(PositionOf(kFile, "services[0].name") == "3:3");
  CHECK(PositionOf(kFile, "services[0].routes[0].paths") == "6:5");
  CHECK(PositionOf(kFile, "services[0].routes[0].paths[1]") == "8:7");
}

TEST_CASE("a field that is not there is found at what is around it") {
  CHECK(PositionOf(kFile, "services[0].host") == "3:3");
  CHECK(PositionOf(kFile, "consumers[3].username") == "none");
}

TEST_CASE("a key that stands twice is refused where it stands again") {
  CHECK(Read("a: 1\nb: 2\na: 3\n") == "3:1: the key 'a' stands here twice");
}

TEST_CASE("32 levels are read and 33 refused") {
  CHECK(Read(Nested(31)).starts_with("{"));
  CHECK(Read(Nested(32)) == "1:35: nested more than 32 deep");
}

TEST_CASE("deep nesting does not end the program") {
  CHECK(Read(Nested(100'000)) == "1:35: nested more than 32 deep");
}

TEST_CASE("a file of 4 MiB is read and a larger one refused") {
  CHECK(Read("a: " + std::string(cli::kMaxYamlBytes - 3, 'x')).starts_with("{"));
  CHECK(Read("a: " + std::string(cli::kMaxYamlBytes - 2, 'x')) == "1:1: the file is larger than 4 MiB");
}

TEST_CASE("an alias stands for what was named") {
  CHECK(Read("a: &x [1]\nb: *x\n") == R"({"a":[1],"b":[1]})");
}

TEST_CASE("a merge fills in what is not there") {
  CHECK(Read("a: &x {p: 1, q: 1}\nb: {<<: *x, q: 2}\n") == R"({"a":{"p":1,"q":1},"b":{"p":1,"q":2}})");
}

TEST_CASE("aliases that grow without end are refused") {
  std::string bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n";
  for (int i = 1; i < 8; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 0; j < 9; ++j) bomb += ", " + last;
    bomb += "]\n";
  }
  CHECK(Read(bomb).find("more than 200000 values") != std::string::npos);
}

TEST_CASE("an alias inside what it names is refused") {
  CHECK(Read("a: &x [*x]\n").find("alias") != std::string::npos);
}

TEST_CASE("variables of decK are filled in and typed as if they stood there") {
  CHECK(Value("${{ env \"DECK_PORT\" }}") == "8080");
  CHECK(Value("'p-${{ env \"DECK_PORT\" }}'") == "\"p-8080\"");
}

TEST_CASE("a variable that is not set is named") {
  CHECK(Value("${{ env \"DECK_NONE\" }}") == "1:4: the environment has no DECK_NONE; set it, or write the value");
}

TEST_CASE("other variables and other templates are refused") {
  CHECK(Value("${{ env \"HOME\" }}") == "1:4: only ${{ env \"DECK_NAME\" }} can be filled in");
  CHECK(Value("'${{ file }}'") == "1:4: only ${{ env \"DECK_NAME\" }} can be filled in");
}

TEST_CASE("two documents, a list, and tags are refused") {
  CHECK(Read("a: 1\n---\nb: 2\n").find("one document a file") != std::string::npos);
  CHECK(Read("- a\n").find("a map of fields is expected") != std::string::npos);
  CHECK(Value("!!binary aGk=").find("is not supported") != std::string::npos);
}

TEST_CASE("JSON is read too") {
  CHECK(Read("{\"a\": [1, \"b\", null]}") == R"({"a":[1,"b",null]})");
}

TEST_CASE("a syntax error has its place") {
  CHECK(Read("a: 1\nb: [1\n").find("3:1: ") == 0);
}

TEST_CASE("what is written reads back the same") {
  const std::string json =
      R"({"_format_version":"3.0","a":["yes","3.0","x: y","","null","${{ x }}","~/re\n"],"b":{"c":[]},"n":-0.5,"t":true})";
  google::protobuf::Struct value;
  std::string error;
  REQUIRE(schema::ParseJson(json, value, error));
  Document document;
  YamlError wrong;
  INFO(cli::WriteYaml(value));
  REQUIRE(cli::ReadYaml(cli::WriteYaml(value), Variable, document, wrong));
  CHECK(document.value.SerializeAsString().size() == value.SerializeAsString().size());
  CHECK(Read(cli::WriteYaml(value)).size() == schema::ToJson(value).size());
}

TEST_CASE("YAML is written with names first and nested entities last") {
  google::protobuf::Struct value;
  std::string error;
  REQUIRE(schema::ParseJson(R"({"services":[{"routes":[{"paths":["/a"],"name":"r"}],"host":"h","name":"s"}]})", value,
                            error));
  CHECK(cli::WriteYaml(value) == "services:\n- name: s\n  host: h\n  routes:\n  - name: r\n    paths:\n    - /a\n");
}

TEST_CASE("text of several lines is written as lines, and reads back the same") {
  google::protobuf::Struct value;
  std::string error;
  REQUIRE(
      schema::ParseJson(R"({"certificates":[{"cert":"-----BEGIN\n\n# a: b \n-----END\n","id":"i"}]})", value, error));
  const std::string yaml = cli::WriteYaml(value);
  CHECK(yaml == "certificates:\n- id: i\n  cert: |\n    -----BEGIN\n\n    # a: b \n    -----END\n");
  CHECK(Read(yaml) == schema::ToJson(value));
}

TEST_CASE("text whose lines would not read back the same is quoted") {
  for (const std::string text :
       {" a\nb\n", "\na\n", "a\nb", "a\nb\n\n", "a\n\tb\n", "a\n${{ x }}\n", "a\r\nb\n", "a\n\n"}) {
    google::protobuf::Struct value;
    (*value.mutable_fields())["t"].set_string_value(text);
    INFO(cli::WriteYaml(value));
    CHECK(cli::WriteYaml(value).find('|') == std::string::npos);
    CHECK(Read(cli::WriteYaml(value)) == schema::ToJson(value));
  }
}
