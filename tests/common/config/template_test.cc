#include "common/config/template.h"

#include "catch2/catch.hpp"

namespace sluice::config {
namespace {

std::optional<std::string> Look(Template::Table table, const std::string& name) {
  if (name == "none") return std::nullopt;
  if (table == Template::Table::kHeaders) return "h:" + name;
  return (table == Template::Table::kQueryParams ? "q:" : "u:") + name;
}

std::string Render(std::string_view text) {
  auto parsed = Template::Parse(text);
  REQUIRE(parsed.ok());
  std::string out;
  REQUIRE(parsed->Render(Look, out));
  return out;
}

std::string ErrorOf(std::string_view text) { return std::string(Template::Parse(text).status().message()); }

TEST_CASE("a text without lookups is itself") {
  CHECK(Render("") == "");
  CHECK(Render("a $ b ) (c) $x") == "a $ b ) (c) $x");
  CHECK_FALSE(Template::Parse("a")->has_lookups());
}

TEST_CASE("a lookup names its table and what it looks for") {
  CHECK(Render("<$(headers['x-y'])>") == "<h:x-y>");
  CHECK(Render("$(query_params[\"a b\"])") == "q:a b");
  CHECK(Render("$(uri_captures.id)$( uri_captures[ 1 ] )") == "u:idu:1");
}

TEST_CASE("the first of the alternatives that is found stands") {
  CHECK(Render("$(headers.none or query_params['none'] or 'x')") == "x");
  CHECK(Render("$(headers.a or 'x')") == "h:a");
  CHECK(Render("[$(headers.none)]") == "[]");
}

TEST_CASE("what is no template says why and where") {
  CHECK(ErrorOf("$(headers.x") == "at byte 11 of the template: expected ) or a further `or`");
  CHECK(ErrorOf("$(shared.x)") ==
        "at byte 8 of the template: expected headers, query_params, uri_captures or a text in quotes");
  CHECK(ErrorOf("$(headers['x)") == "at byte 11 of the template: the quotes are not closed");
  CHECK(ErrorOf("$(headers[x])") == "at byte 10 of the template: expected ]");
  CHECK(ErrorOf("$(headers)") == "at byte 9 of the template: expected a name");
  CHECK(ErrorOf("$(headers.x .. 'y')") == "at byte 12 of the template: expected ) or a further `or`");
}

TEST_CASE("a result is as long as the maximum and no longer") {
  auto parsed = Template::Parse("$(headers.x)y");
  std::string out;
  auto filler = [](size_t size) {
    return [size](Template::Table, const std::string&) { return std::optional<std::string>(std::string(size, 'x')); };
  };
  CHECK(parsed->Render(filler(Template::kMaxRenderedBytes - 1), out));
  CHECK_FALSE(parsed->Render(filler(Template::kMaxRenderedBytes), out));
}

}  // namespace
}  // namespace sluice::config
