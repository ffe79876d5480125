#include <charconv>
#include <cmath>
#include <map>

#include "common/base/check.h"
#include "common/schema/json.h"
#include "common/schema/schema.h"
#include "common/schema/text.h"

namespace sluice::schema {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;
using google::protobuf::Value;

constexpr double kMaxExact = 9007199254740992;  // 2^53

void WriteString(std::string_view text, std::string& out) {
  out.push_back('"');
  for (char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += Cat("\\u00", c < 0x10 ? "0" : "1", std::string(1, "0123456789abcdef"[c & 15]));
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

void WriteNumber(double number, std::string& out) {
  if (!std::isfinite(number)) {
    out += "null";  // JSON has no other word for it
  } else if (number == std::floor(number) && std::fabs(number) < kMaxExact) {
    out += Cat(static_cast<int64_t>(number));
  } else {
    char text[32];
    out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
  }
}

void Write(const Value& value, std::string& out);

void Write(const Struct& object, std::string& out) {
  std::map<std::string_view, const Value*> sorted;  // equal objects have equal text
  for (const auto& [name, value] : object.fields()) sorted.emplace(name, &value);
  out.push_back('{');
  bool first = true;
  for (const auto& [name, value] : sorted) {
    if (!first) out.push_back(',');
    first = false;
    WriteString(name, out);
    out.push_back(':');
    Write(*value, out);
  }
  out.push_back('}');
}

void Write(const ListValue& list, std::string& out) {
  out.push_back('[');
  for (int i = 0; i < list.values_size(); ++i) {
    if (i > 0) out.push_back(',');
    Write(list.values(i), out);
  }
  out.push_back(']');
}

void Write(const Value& value, std::string& out) {
  switch (value.kind_case()) {
    case Value::kNumberValue:
      return WriteNumber(value.number_value(), out);
    case Value::kStringValue:
      return WriteString(value.string_value(), out);
    case Value::kBoolValue:
      out += value.bool_value() ? "true" : "false";
      return;
    case Value::kStructValue:
      return Write(value.struct_value(), out);
    case Value::kListValue:
      return Write(value.list_value(), out);
    default:
      out += "null";
      return;
  }
}

}  // namespace

std::string ToJson(const google::protobuf::Message& struct_or_value) {
  std::string out;
  if (const auto* object = dynamic_cast<const Struct*>(&struct_or_value)) {
    Write(*object, out);
  } else if (const auto* value = dynamic_cast<const Value*>(&struct_or_value)) {
    Write(*value, out);
  } else {
    const auto* list = dynamic_cast<const ListValue*>(&struct_or_value);
    SLUICE_CHECK(list != nullptr);
    Write(*list, out);
  }
  return out;
}

}  // namespace sluice::schema
