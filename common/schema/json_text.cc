// JSON text by nlohmann's library, to and from protobuf's Struct. protobuf's own conversion takes what is not JSON
// (single quotes, missing quotes, trailing commas), and writes the names of an object in no order.

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

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

// Builds a Value from the parser's events. Every handler answers whether to go on.
class Reader {
 public:
  explicit Reader(Value& out) : root_(out) {}
  const std::string& error() const { return error_; }

  bool null() {
    Next().set_null_value({});
    return true;
  }
  bool boolean(bool value) {
    Next().set_bool_value(value);
    return true;
  }
  bool number_integer(int64_t value) { return number_float(static_cast<double>(value), {}); }
  bool number_unsigned(uint64_t value) { return number_float(static_cast<double>(value), {}); }
  bool number_float(double value, const std::string&) {
    Next().set_number_value(value);
    return true;
  }
  bool string(std::string& value) {
    Next().set_string_value(std::move(value));
    return true;
  }
  bool binary(nlohmann::json::binary_t&) { return Fail("binary values are not JSON"); }
  bool start_object(size_t) {
    Value& object = Next();
    object.mutable_struct_value();
    return Enter(object);
  }
  bool start_array(size_t) {
    Value& list = Next();
    list.mutable_list_value();
    return Enter(list);
  }
  bool end_object() { return Leave(); }
  bool end_array() { return Leave(); }
  bool key(std::string& name) {
    auto& fields = *open_.back()->mutable_struct_value()->mutable_fields();
    if (fields.contains(name)) return Fail(Cat("the name \"", name, "\" stands twice in one object"));
    named_ = &fields[name];
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception& error) {
    const std::string_view what = error.what();
    const size_t detail = what.find(": ");  // behind the library's own number and position
    const bool plain = detail == std::string_view::npos;
    return Fail(Cat("offset ", position, ": ", plain ? what : what.substr(detail + 2)));
  }

 private:
  // Where the next value goes.
  Value& Next() {
    if (open_.empty()) return root_;
    if (named_ != nullptr) return *std::exchange(named_, nullptr);
    return *open_.back()->mutable_list_value()->add_values();
  }
  bool Enter(Value& value) {
    open_.push_back(&value);
    return open_.size() <= static_cast<size_t>(kMaxDepth) || Fail(Cat("nested deeper than ", kMaxDepth));
  }
  bool Leave() {
    open_.pop_back();
    return true;
  }
  bool Fail(std::string error) {
    error_ = std::move(error);
    return false;
  }

  Value& root_;
  std::vector<Value*> open_;
  Value* named_ = nullptr;
  std::string error_;
};

nlohmann::json Tree(const Value& value);

nlohmann::json Tree(const Struct& object) {
  nlohmann::json tree = nlohmann::json::object();  // sorted by name: equal objects have equal text
  for (const auto& [name, value] : object.fields()) tree[name] = Tree(value);
  return tree;
}

nlohmann::json Tree(const ListValue& list) {
  nlohmann::json tree = nlohmann::json::array();
  for (const Value& value : list.values()) tree.push_back(Tree(value));
  return tree;
}

nlohmann::json Tree(const Value& value) {
  switch (value.kind_case()) {
    case Value::kNumberValue: {
      const double number = value.number_value();
      if (number == std::floor(number) && std::fabs(number) < kMaxExact) return static_cast<int64_t>(number);
      return number;  // what is not finite is written as null: JSON has no other word for it
    }
    case Value::kStringValue:
      return value.string_value();
    case Value::kBoolValue:
      return value.bool_value();
    case Value::kStructValue:
      return Tree(value.struct_value());
    case Value::kListValue:
      return Tree(value.list_value());
    default:
      return nullptr;
  }
}

std::string Dump(const nlohmann::json& tree, int indent) {
  return tree.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

bool ParseJsonValue(std::string_view json, Value& out, std::string& error) {
  Reader reader(out);
  if (nlohmann::json::sax_parse(json, &reader)) return true;
  error = reader.error();
  return false;
}

bool ParseJson(std::string_view json, Struct& out, std::string& error) {
  Value value;
  if (!ParseJsonValue(json, value, error)) return false;
  if (!value.has_struct_value()) {
    error = Cat("expected an object, not ", NameOfKind(value));
    return false;
  }
  out.Swap(value.mutable_struct_value());
  return true;
}

std::string ToJson(const google::protobuf::Message& struct_or_value, int indent) {
  if (const auto* object = dynamic_cast<const Struct*>(&struct_or_value)) return Dump(Tree(*object), indent);
  if (const auto* value = dynamic_cast<const Value*>(&struct_or_value)) return Dump(Tree(*value), indent);
  const auto* list = dynamic_cast<const ListValue*>(&struct_or_value);
  SLUICE_CHECK(list != nullptr);
  return Dump(Tree(*list), indent);
}

}  // namespace sluice::schema
