#include <algorithm>
#include <cmath>

#include "common/schema/json.h"
#include "common/schema/options.h"
#include "common/schema/schema.h"
#include "common/schema/sorted.h"
#include "common/schema/text.h"

namespace sluice::schema {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;
using google::protobuf::Value;

bool Wrong(const Place& place, std::string message, Violations& violations) {
  violations.Add(place.Text(), std::move(message));
  return false;
}

bool CheckCount(size_t count, const Place& place, Violations& violations) {
  if (count <= kMaxItems) return true;
  return Wrong(place, Cat("has ", count, " items, at most ", kMaxItems, " are allowed"), violations);
}

}  // namespace

std::string_view NameOfKind(const Value& value) {
  switch (value.kind_case()) {
    case Value::kNumberValue:
      return "a number";
    case Value::kStringValue:
      return "a string";
    case Value::kBoolValue:
      return "a boolean";
    case Value::kStructValue:
      return "an object";
    case Value::kListValue:
      return "an array";
    default:
      return "null";
  }
}

bool JsonEqual(const Value& a, const Value& b) {
  if (a.kind_case() != b.kind_case()) return false;
  switch (a.kind_case()) {
    case Value::kNumberValue:
      return a.number_value() == b.number_value();
    case Value::kStringValue:
      return a.string_value() == b.string_value();
    case Value::kBoolValue:
      return a.bool_value() == b.bool_value();
    case Value::kListValue: {
      const auto& left = a.list_value().values();
      const auto& right = b.list_value().values();
      return std::equal(left.begin(), left.end(), right.begin(), right.end(), JsonEqual);
    }
    case Value::kStructValue: {
      const auto& left = a.struct_value().fields();
      const auto& right = b.struct_value().fields();
      if (left.size() != right.size()) return false;
      return std::all_of(left.begin(), left.end(), [&right](const auto& field) {
        const auto other = right.find(field.first);
        return other != right.end() && JsonEqual(field.second, other->second);
      });
    }
    default:
      return true;
  }
}

bool CheckJson(const Struct& object, const Place& place, int depth, Violations& violations) {
  if (depth > kMaxDepth) return Wrong(place, Cat("nested deeper than ", kMaxDepth), violations);
  if (!CheckCount(object.fields().size(), place, violations)) return false;
  bool good = true;
  for (const auto* field : Sorted(object.fields())) {
    const auto& [name, value] = *field;
    const Place at(place, name);
    if (!IsUtf8(name)) good = Wrong(at, "the name is not valid UTF-8", violations);
    if (name.size() > kMaxStringBytes) good = Wrong(at, "the name is too long", violations);
    if (!CheckJson(value, at, depth + 1, violations)) good = false;
  }
  return good;
}

bool CheckJson(const ListValue& list, const Place& place, int depth, Violations& violations) {
  if (depth > kMaxDepth) return Wrong(place, Cat("nested deeper than ", kMaxDepth), violations);
  bool good = CheckCount(static_cast<size_t>(list.values_size()), place, violations);
  for (int i = 0; good && i < list.values_size(); ++i) {
    good = CheckJson(list.values(i), Place(place, i), depth + 1, violations);
  }
  return good;
}

bool CheckJson(const Value& value, const Place& place, int depth, Violations& violations) {
  switch (value.kind_case()) {
    case Value::kStructValue:
      return CheckJson(value.struct_value(), place, depth, violations);
    case Value::kListValue:
      return CheckJson(value.list_value(), place, depth, violations);
    case Value::kStringValue:
      if (!IsUtf8(value.string_value())) return Wrong(place, "invalid UTF-8", violations);
      if (value.string_value().size() <= kMaxStringBytes) return true;
      return Wrong(place, Cat("length must be at most ", kMaxStringBytes), violations);
    case Value::kNumberValue:
      return std::isfinite(value.number_value()) || Wrong(place, "expected a finite number", violations);
    default:
      return true;
  }
}

}  // namespace sluice::schema
