#include "control-plane/cli/yaml_scalar.h"

#include <array>
#include <charconv>
#include <cmath>
#include <regex>

#include "common/schema/text.h"

namespace sluice::cli {

namespace {

using google::protobuf::Value;
using schema::Cat;

constexpr double kMaxExactInteger = 9007199254740991.0;  // 2^53 - 1: past it JSON numbers lose digits
constexpr std::string_view kOpen = "${{";
constexpr std::string_view kClose = "}}";
constexpr const char* kTemplateHelp = "only ${{ env \"DECK_NAME\" }} can be filled in";

// The name inside `env "DECK_X"`; "" where it is anything else.
std::string VariableName(const std::string& inside) {
  static const std::regex& pattern = *new std::regex(R"re(\s*env\s+"(DECK_[A-Za-z0-9_]+)"\s*)re");
  constexpr size_t kMaxBytes = 300;
  std::smatch match;
  return inside.size() <= kMaxBytes && std::regex_match(inside, match, pattern) ? match[1].str() : "";
}

std::string FillIn(std::string& text, const Variable& variable) {
  std::string out;
  size_t at = 0;
  for (size_t open = text.find(kOpen); open != std::string::npos; open = text.find(kOpen, at)) {
    const size_t close = text.find(kClose, open);
    if (close == std::string::npos) return Cat("`${{` without `}}`: ", kTemplateHelp);
    const std::string name = VariableName(text.substr(open + kOpen.size(), close - open - kOpen.size()));
    if (name.empty()) return kTemplateHelp;
    const std::optional<std::string> value = variable(name);
    if (!value) return Cat("the environment has no ", name, "; set it, or write the value");
    out += text.substr(at, open - at) + *value;
    at = close + kClose.size();
  }
  text = out + text.substr(at);
  return "";
}

bool IsNull(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

std::optional<bool> AsBool(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

bool LooksLikeNumber(const std::string& text) {
  static const std::regex& pattern = *new std::regex(
      R"re([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)re");
  return text.size() <= 400 && std::regex_match(text, pattern);
}

// The core schema's integers in base 8, 10 and 16, and decimal fractions.
double AsNumber(std::string_view text) {
  uint64_t integer = 0;
  if (text.starts_with("0o") || text.starts_with("0x")) {
    const auto [end, error] =
        std::from_chars(text.data() + 2, text.data() + text.size(), integer, text[1] == 'o' ? 8 : 16);
    return error == std::errc() ? static_cast<double>(integer) : INFINITY;
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? number : INFINITY;
}

std::string ReadPlain(const std::string& text, Value& out) {
  if (IsNull(text)) {
    out.set_null_value(google::protobuf::NULL_VALUE);
  } else if (const std::optional<bool> flag = AsBool(text)) {
    out.set_bool_value(*flag);
  } else if (LooksLikeNumber(text)) {
    const double number = AsNumber(text);
    if (std::isinf(number) || (number == std::floor(number) && std::abs(number) > kMaxExactInteger)) {
      return Cat("the number ", text, " cannot be kept exactly; quote it if it is meant as text");
    }
    out.set_number_value(number);
  } else {
    static const std::regex& special = *new std::regex(R"re([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))re");
    if (std::regex_match(text.substr(0, 6), special)) return Cat(text, " is not a number that can be configured");
    out.set_string_value(text);
  }
  return "";
}

}  // namespace

std::string ReadScalar(std::string text, ScalarStyle style, const Variable& variable, Value& out) {
  if (style != ScalarStyle::kTaggedString) {
    if (std::string wrong = FillIn(text, variable); !wrong.empty()) return wrong;
  }
  if (!schema::IsUtf8(text)) return "this text is not UTF-8";
  if (style == ScalarStyle::kPlain) return ReadPlain(text, out);
  out.set_string_value(std::move(text));
  return "";
}

bool IsPlainString(std::string_view text) {
  constexpr std::array<std::string_view, 14> kOldBooleans = {"y",  "Y",  "yes", "Yes", "YES", "n",   "N",
                                                             "no", "No", "NO",  "on",  "On",  "off", "Off"};
  if (text.empty() || text.size() > 200 || text == "ON" || text == "OFF") return false;
  for (const std::string_view old : kOldBooleans) {
    if (text == old) return false;
  }
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(text[0]) && text[0] != '/' && text[0] != '_' && text[0] != '~') return false;
  for (const char c : text) {
    if (!letter(c) && !(c >= '0' && c <= '9') && std::string_view("/_~.-@+$^()").find(c) == std::string_view::npos)
      return false;
  }
  Value value;
  return ReadPlain(std::string(text), value).empty() && value.kind_case() == Value::kStringValue;
}

}  // namespace sluice::cli
