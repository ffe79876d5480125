#include <charconv>
#include <cmath>

#include "common/schema/json.h"
#include "common/schema/options.h"
#include "common/schema/schema.h"
#include "common/schema/text.h"

namespace sluice::schema {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

// RFC 8259, strictly; names within an object are unique.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  bool Whole(Value& out, std::string& error) {
    bool good = IsUtf8(text_) || Fail("invalid UTF-8");
    if (good) {
      Space();
      good = Any(out, 0);
    }
    Space();
    if (good && at_ != text_.size()) good = Fail("unexpected text after the value");
    if (!good) error = Cat(error_, " at offset ", at_);
    return good;
  }

 private:
  bool Fail(std::string_view error) {
    if (error_.empty()) error_ = std::string(error);
    return false;
  }
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool Take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  void Space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }

  bool Any(Value& out, int depth) {
    switch (Peek()) {
      case '{':
        return Object(*out.mutable_struct_value(), depth + 1);
      case '[':
        return List(*out.mutable_list_value(), depth + 1);
      case '"':
        return String(*out.mutable_string_value());
      default:
        break;
    }
    if (Take("true")) return out.set_bool_value(true), true;
    if (Take("false")) return out.set_bool_value(false), true;
    if (Take("null")) return out.set_null_value(google::protobuf::NULL_VALUE), true;
    return Number(out);
  }

  bool Object(Struct& out, int depth) {
    if (depth > kMaxDepth) return Fail(Cat("nested deeper than ", kMaxDepth));
    Take('{');
    Space();
    if (Take('}')) return true;
    do {
      Space();
      const size_t start = at_;
      std::string name;
      if (Peek() != '"') return Fail("expected a name in double quotes");
      if (!String(name)) return false;
      if (out.fields().contains(name)) {
        at_ = start;
        return Fail("the name was there before");
      }
      Space();
      if (!Take(':')) return Fail("expected ':'");
      Space();
      if (!Any((*out.mutable_fields())[name], depth)) return false;
      Space();
    } while (Take(','));
    return Take('}') || Fail("expected ',' or '}'");
  }

  bool List(google::protobuf::ListValue& out, int depth) {
    if (depth > kMaxDepth) return Fail(Cat("nested deeper than ", kMaxDepth));
    Take('[');
    Space();
    if (Take(']')) return true;
    do {
      Space();
      if (!Any(*out.add_values(), depth)) return false;
      Space();
    } while (Take(','));
    return Take(']') || Fail("expected ',' or ']'");
  }

  bool String(std::string& out) {
    if (!Take('"')) return Fail("expected a value");
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) return Fail("control character in a string");
      ++at_;
      if (c == '"') return true;
      if (c != '\\') {
        out.push_back(c);
      } else if (!Escape(out)) {
        return false;
      }
    }
    return Fail("the string does not end");
  }

  bool Escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kBytes = "\"\\/\b\f\n\r\t";
    if (Take('u')) return Unicode(out);
    const size_t which = kLetters.find(Peek());
    if (at_ >= text_.size() || which == std::string_view::npos) return Fail("unknown escape");
    out.push_back(kBytes[which]);
    ++at_;
    return true;
  }

  bool Hex4(uint32_t& code) {
    const std::string_view digits = text_.substr(at_, 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || error != std::errc() || end != digits.data() + 4) return Fail("expected four hex digits");
    at_ += 4;
    return true;
  }

  bool Unicode(std::string& out) {
    uint32_t code = 0;
    if (!Hex4(code)) return false;
    if (code >= 0xDC00 && code <= 0xDFFF) return Fail("half of a surrogate pair");
    if (code >= 0xD800 && code <= 0xDBFF) {
      uint32_t low = 0;
      if (!Take("\\u") || !Hex4(low) || low < 0xDC00 || low > 0xDFFF) return Fail("half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code < 0x80) {
      out.push_back(static_cast<char>(code));
      return true;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    constexpr unsigned char kLead[] = {0, 0xC0, 0xE0, 0xF0};
    out.push_back(static_cast<char>(kLead[more] | (code >> (6 * more))));
    for (int k = more - 1; k >= 0; --k) out.push_back(static_cast<char>(0x80 | ((code >> (6 * k)) & 0x3F)));
    return true;
  }

  bool Digits() {
    const size_t start = at_;
    while (Peek() >= '0' && Peek() <= '9') ++at_;
    return at_ > start;
  }

  bool Number(Value& out) {
    const size_t start = at_;
    Take('-');
    const bool zero = Peek() == '0';
    const size_t first = at_;
    if (!Digits()) return Fail("expected a value");
    if (zero && at_ - first > 1) return Fail("a number has no leading zero");
    if (Take('.') && !Digits()) return Fail("expected a digit");
    if (Peek() == 'e' || Peek() == 'E') {
      ++at_;
      if (Peek() == '+' || Peek() == '-') ++at_;
      if (!Digits()) return Fail("expected a digit");
    }
    double number = 0;
    const auto parsed = std::from_chars(text_.data() + start, text_.data() + at_, number);
    if (parsed.ec != std::errc() || !std::isfinite(number)) return Fail("the number is too large or too small");
    out.set_number_value(number);
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string error_;
};

}  // namespace

bool ParseJsonValue(std::string_view json, Value& out, std::string& error) {
  return Parser(json).Whole(out, error);
}

bool ParseJson(std::string_view json, Struct& out, std::string& error) {
  Value value;
  if (!ParseJsonValue(json, value, error)) return false;
  if (!value.has_struct_value()) {
    error = Cat("expected an object, not ", NameOfKind(value));
    return false;
  }
  out = std::move(*value.mutable_struct_value());
  return true;
}

}  // namespace sluice::schema
