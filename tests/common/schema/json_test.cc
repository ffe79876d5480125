#include "common/schema/json.h"

#include "catch2/catch.hpp"
#include "tests/common/schema/support.h"

namespace sluice::schema {
namespace {

std::string Error(const std::string& text) {
  google::protobuf::Struct out;
  std::string error;
  return ParseJson(text, out, error) ? "" : error;
}

TEST_CASE("JSON is written as it was read, names in order") {
  CHECK(ToJson(Json(R"( { "b" : [1, 2.5, -3e2, true, null], "a": "x\n\u00e9\ud83d\ude00" } )")) ==
        "{\"a\":\"x\\n\u00e9\U0001F600\",\"b\":[1,2.5,-300,true,null]}");
}

TEST_CASE("numbers stay numbers") {
  CHECK(ToJson(Json(R"({"a":9007199254740991,"b":0.1,"c":1e21,"d":-0})")) ==
        R"({"a":9007199254740991,"b":0.1,"c":1e+21,"d":0})");
}

TEST_CASE("an error tells the offset") {
  CHECK(Error(R"({"a":1,})").starts_with("offset 8: "));
  CHECK(Error(R"({"a":tru})").starts_with("offset 9: "));
  CHECK(Error(R"({"a":1} x)").starts_with("offset 9: "));
  CHECK(Error(R"({"a":01})").starts_with("offset 7: "));
}

TEST_CASE("a name stands once in an object") {
  CHECK(Error(R"({"a":1,"a":2})") == "the name \"a\" stands twice in one object");
  CHECK(Error(R"({"a":1,"b":{"a":2}})").empty());
}

TEST_CASE("what RFC 8259 does not allow is refused") {
  for (const char* text :
       {"", "{", "{'a':1}", "{\"a\":\"\n\"}", R"({"a":"\x"})", R"({"a":"\ud800"})", R"({"a":1.})", R"({"a":.5})",
        R"({"a":+1})", R"({"a":1e999})", R"({"a":"b)", "{\"a\":\"\xff\"}", "{/**/}"}) {
    INFO(text);
    CHECK_FALSE(Error(text).empty());
  }
}

TEST_CASE("only an object is a document") {
  CHECK(Error("[1]") == "expected an object, not an array");
}

TEST_CASE("nesting ends at the limit") {
  const auto nested = [](int lists) {
    return R"({"a":)" + std::string(static_cast<size_t>(lists), '[') + std::string(static_cast<size_t>(lists), ']') +
           "}";
  };
  CHECK(Error(nested(kMaxDepth - 1)).empty());
  CHECK(Error(nested(kMaxDepth)) == "nested deeper than 32");
}

TEST_CASE("control characters are escaped") {
  google::protobuf::Value value;
  value.set_string_value(std::string("\x01\x1f\"\\", 4));
  CHECK(ToJson(value) == R"("\u0001\u001f\"\\")");
}

}  // namespace
}  // namespace sluice::schema
