#include "data-plane/http/fields.h"

#include "catch2/catch.hpp"

namespace sluice::http {
namespace {

std::string All(const Fields& fields) {
  std::string all;
  for (const Field& field : fields) all += std::string(field.name) + "=" + std::string(field.value) + ";";
  return all;
}

Fields Sample() {
  Fields fields;
  fields.Add("A", "1");
  fields.Add("B", "2");
  fields.Add("a", "3");
  return fields;
}

TEST_CASE("names compare without case, the first value is found") {
  const Fields fields = Sample();
  CHECK(fields.Get("a") == "1");
  CHECK(fields.Get("b") == "2");
  CHECK(fields.Count("A") == 2);
  CHECK(fields.Find("c") == nullptr);
  CHECK(fields.Get("c") == "");
}

TEST_CASE("setting replaces all by one, in the place of the first") {
  Fields fields = Sample();
  fields.Set("a", "9");
  CHECK(All(fields) == "a=9;B=2;");
  fields.Set("C", "4");
  CHECK(All(fields) == "a=9;B=2;C=4;");
}

TEST_CASE("a field may be set to its own value") {
  Fields fields = Sample();
  fields.Set("B", fields.Get("B"));
  CHECK(All(fields) == "A=1;B=2;a=3;");
}

TEST_CASE("removing tells how many") {
  Fields fields = Sample();
  CHECK(fields.Remove("A") == 2);
  CHECK(fields.Remove("A") == 0);
  CHECK(All(fields) == "B=2;");
}

TEST_CASE("what is kept stays in place while more is added, and moves with its owner") {
  Fields fields;
  fields.Add("Big", std::string(5000, 'x'));
  for (int i = 0; i < 1000; ++i) fields.Add("Name" + std::to_string(i), "value" + std::to_string(i));
  Fields moved = std::move(fields);
  fields.Add("After", "move");
  CHECK(moved.Get("name0") == "value0");
  CHECK(moved.Get("name999") == "value999");
  CHECK(moved.Get("big").size() == 5000);
  CHECK(All(fields) == "After=move;");
}

TEST_CASE("tokens and values follow the grammar") {
  CHECK(IsToken("X-a_1!"));
  CHECK_FALSE(IsToken(""));
  CHECK_FALSE(IsToken("a b"));
  CHECK_FALSE(IsToken("a:"));
  CHECK(IsFieldValue(""));
  CHECK(IsFieldValue("a\tb \xff"));
  CHECK_FALSE(IsFieldValue(" a"));
  CHECK_FALSE(IsFieldValue("a\r\nb"));
  CHECK_FALSE(IsFieldValue("a\x7f"));
}

TEST_CASE("every single byte is a control in a value or it is not, at every place in a word") {
  for (int c = 0; c < 256; ++c) {
    const bool control = (c < 0x20 && c != '\t') || c == 0x7f;
    for (size_t place = 0; place < 17; ++place) {
      std::string text(19, 'x');
      text[place + 1] = static_cast<char>(c);
      REQUIRE(IsFieldValue(text) == !control);
    }
  }
}

}  // namespace
}  // namespace sluice::http
