#include "common/observe/log.h"

#include "catch2/catch.hpp"

namespace sluice::log {
namespace {

std::string Json(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

TEST_CASE("a plain text becomes itself in quotes") { CHECK(Json("a b/ü") == "\"a b/ü\""); }

TEST_CASE("quotes, backslashes and control characters are escaped") {
  CHECK(Json("a\"b\\c\nd\re\tf\x01g\x7f") == R"("a\"b\\c\nd\re\tf\u0001g\u007f")");
}

TEST_CASE("every byte that is not UTF-8 becomes U+FFFD") {
  CHECK(Json("a\xFFz") == "\"a\xEF\xBF\xBDz\"");
  CHECK(Json("\xC0\xAF") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                  // overlong
  CHECK(Json("\xED\xA0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // a surrogate
  CHECK(Json("\xE2\x82") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                  // cut short
}

TEST_CASE("a sequence of four bytes is kept") { CHECK(Json("\xF0\x9F\x98\x80") == "\"\xF0\x9F\x98\x80\""); }

TEST_CASE("a line has its level, its message and its fields in order") {
  const std::string line = Format(Level::kWarning, "store lost", {{"host", "a"}, {"why", "\n"}});
  const std::string expected = R"(,"level":"warning","msg":"store lost","host":"a","why":"\n"})";
  CHECK(line.substr(0, 7) == "{\"ts\":\"");
  CHECK(line.substr(line.size() - expected.size() - 1) == expected + "\n");
}

TEST_CASE("a value of 4096 bytes is kept whole and one byte more is cut off") {
  const std::string whole(4096, 'x');
  CHECK(Format(Level::kInfo, whole).find("\"" + whole + "\"") != std::string::npos);
  CHECK(Format(Level::kInfo, whole + "y").find("\"" + whole + "\"") != std::string::npos);
}

}  // namespace
}  // namespace sluice::log
