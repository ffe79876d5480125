#include <algorithm>
#include <cmath>
#include <set>

#include "common/schema/encode_field.h"
#include "common/schema/format.h"
#include "common/schema/json.h"
#include "common/schema/options.h"
#include "common/schema/schema.h"
#include "common/schema/text.h"

namespace sluice::schema {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Value;

std::string Number(double number) {
  Value value;
  value.set_number_value(number);
  return ToJson(value);
}

// The text that one_of and restrictions compare with.
std::string TextOf(const Value& value) {
  return value.has_string_value() ? value.string_value() : ToJson(value);
}

class Checker {
 public:
  Checker(bool restricted, Violations& violations) : restricted_(restricted), violations_(violations) {}

  void Whole(const Message& message, const std::string& path) {
    const Descriptor& type = *message.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) Field(message, path, *type.field(i));
  }

 private:
  void Field(const Message& message, const std::string& path, const FieldDescriptor& field) {
    const v1::Field& options = OptionsOf(field);
    const std::string at = IsUnwrapped(*message.GetDescriptor()) ? path : Join(path, WireName(field));
    if (!IsPresent(message, field)) {
      // What could not be read is not missing.
      if (options.required() && !violations_.Names(at)) violations_.Add(at, "required field missing");
      return;
    }
    const size_t before = violations_.total();
    if (field.is_map()) {
      Map(message, at, field);
    } else if (field.is_repeated()) {
      List(message, at, field);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Nested(message.GetReflection()->GetMessage(message, &field), at);
    } else {
      Value value;
      EncodeField(message, field, value);
      Scalar(value, at, options);
    }
    if (violations_.total() == before && (options.restrictions_size() > 0 || !options.unsupported().empty())) {
      Refused(message, at, field);
    }
  }

  // Valid values that are refused all the same.
  void Refused(const Message& message, const std::string& at, const FieldDescriptor& field) {
    const v1::Field& options = OptionsOf(field);
    Value value, usual;
    EncodeField(message, field, value);
    std::string error;
    const bool is_default =
        !options.default_().empty() && ParseJsonValue(options.default_(), usual, error) && JsonEqual(value, usual);
    for (const v1::Restriction& restriction : options.restrictions()) {
      if (!restricted_ || !Matches(restriction, value, is_default)) continue;
      return violations_.Add(at, restriction.instead(), restriction.reason());
    }
    if (!options.unsupported().empty() && !is_default) violations_.Add(at, options.unsupported(), "NOT_YET_SUPPORTED");
  }

  static bool Matches(const v1::Restriction& restriction, const Value& value, bool is_default) {
    if (restriction.value().empty()) return !is_default;
    if (!value.has_list_value()) return TextOf(value) == restriction.value();
    const auto& values = value.list_value().values();
    return std::any_of(values.begin(), values.end(), [&](const Value& v) { return TextOf(v) == restriction.value(); });
  }

  void Count(size_t size, const std::string& at, const v1::Field& options) {
    const size_t most = options.max_items() > 0 ? options.max_items() : kMaxItems;
    if (size < options.min_items()) violations_.Add(at, Cat("length must be at least ", options.min_items()));
    if (size > most) violations_.Add(at, Cat("has ", size, " items, at most ", most, " are allowed"));
  }

  void List(const Message& message, const std::string& at, const FieldDescriptor& field) {
    const v1::Field& options = OptionsOf(field);
    const auto& reflection = *message.GetReflection();
    const int size = reflection.FieldSize(message, &field);
    const size_t before = violations_.total();
    Count(static_cast<size_t>(size), at, options);
    if (violations_.total() != before) return;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      for (int i = 0; i < size; ++i) Nested(reflection.GetRepeatedMessage(message, &field, i), Join(at, i));
      return;
    }
    Value list;
    EncodeField(message, field, list);
    std::set<std::string> seen;
    for (int i = 0; i < size; ++i) {
      const Value& value = list.list_value().values(i);
      Scalar(value, Join(at, i), options);
      if (options.unique_items() && !seen.insert(TextOf(value)).second) {
        violations_.Add(Join(at, i), "is in the list before; values must be unique");
      }
    }
  }

  void Map(const Message& message, const std::string& at, const FieldDescriptor& field) {
    const v1::Field& options = OptionsOf(field);
    const auto& reflection = *message.GetReflection();
    const int size = reflection.FieldSize(message, &field);
    const size_t before = violations_.total();
    Count(static_cast<size_t>(size), at, options);
    if (violations_.total() != before) return;
    std::map<std::string, const Message*> sorted;
    for (int i = 0; i < size; ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      sorted[entry.GetReflection()->GetString(entry, field.message_type()->map_key())] = &entry;
    }
    const FieldDescriptor& of_value = *field.message_type()->map_value();
    for (const auto& [key, entry] : sorted) {
      const std::string place = Join(at, key);
      if (!IsUtf8(key)) violations_.Add(place, "the name is not valid UTF-8");
      if (of_value.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        Nested(entry->GetReflection()->GetMessage(*entry, &of_value), place);
      } else {
        Value value;
        EncodeField(*entry, of_value, value);
        Scalar(value, place, options);
      }
    }
  }

  void Nested(const Message& message, const std::string& at) {
    if (!IsJson(*message.GetDescriptor())) return Whole(message, at);
    Value value;
    if (message.GetDescriptor()->well_known_type() == Descriptor::WELLKNOWNTYPE_STRUCT) {
      value.mutable_struct_value()->CopyFrom(message);
    } else if (message.GetDescriptor()->well_known_type() == Descriptor::WELLKNOWNTYPE_LISTVALUE) {
      value.mutable_list_value()->CopyFrom(message);
    } else {
      value.CopyFrom(message);
    }
    CheckJson(value, at, 1, violations_);
  }

  void Scalar(const Value& value, const std::string& at, const v1::Field& options) {
    if (value.has_number_value()) {
      Bounds(value.number_value(), at, options);
    } else if (value.has_string_value() && !Text(value.string_value(), at, options)) {
      return;
    }
    if (options.one_of_size() == 0) return;
    const std::string text = TextOf(value);
    if (std::find(options.one_of().begin(), options.one_of().end(), text) == options.one_of().end()) {
      violations_.Add(at, Cat("expected one of: ", JoinText(options.one_of(), ", ")));
    }
  }

  void Bounds(double number, const std::string& at, const v1::Field& options) {
    const bool low = options.has_min() && !(number >= options.min());
    const bool high = options.has_max() && !(number <= options.max());
    if (!std::isfinite(number)) return violations_.Add(at, "expected a finite number");
    if (!low && !high) return;
    if (options.has_min() && options.has_max()) {
      violations_.Add(at, Cat("value should be between ", Number(options.min()), " and ", Number(options.max())));
    } else if (low) {
      violations_.Add(at, Cat("value must be at least ", Number(options.min())));
    } else {
      violations_.Add(at, Cat("value must be at most ", Number(options.max())));
    }
  }

  bool Text(const std::string& text, const std::string& at, const v1::Field& options) {
    const size_t most = options.max_length() > 0 ? options.max_length() : kMaxStringBytes;
    std::string error;
    if (!IsUtf8(text)) {
      error = "invalid UTF-8";
    } else if (text.size() < options.min_length()) {
      error = Cat("length must be at least ", options.min_length());
    } else if (text.size() > most) {
      error = Cat("length must be at most ", most);
    } else {
      error = FormatError(options.format(), text);
      // A format's message repeats the value.
      if (!error.empty() && options.secret() && options.format() != v1::FORMAT_URL) error = "invalid value";
    }
    if (!error.empty()) violations_.Add(at, error);
    return error.empty();
  }

  const bool restricted_;
  Violations& violations_;
};

}  // namespace

void Check(const Message& message, const std::string& path, bool restricted, Violations& violations) {
  Checker(restricted, violations).Whole(message, path);
}

}  // namespace sluice::schema
