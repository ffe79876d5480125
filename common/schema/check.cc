#include <algorithm>
#include <cmath>
#include <set>

#include "common/schema/encode_field.h"
#include "common/schema/format.h"
#include "common/schema/json.h"
#include "common/schema/options.h"
#include "common/schema/schema.h"
#include "common/schema/shape.h"
#include "common/schema/text.h"

namespace sluice::schema {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::ListValue;
using google::protobuf::Message;
using google::protobuf::Struct;
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

// A message with its reflection: asking for that costs as much as a look at a field.
struct Reflected {
  explicit Reflected(const Message& of) : message(of), reflection(*of.GetReflection()) {}
  const Message& message;
  const google::protobuf::Reflection& reflection;
};

class Checker {
 public:
  Checker(bool restricted, Violations& violations) : restricted_(restricted), violations_(violations) {}

  void Whole(const Message& message, const Place& place) {
    const Shape& shape = ShapeOf(*message.GetDescriptor());
    const Reflected whole(message);
    for (const FieldShape& field : shape.fields) {
      if (shape.unwrapped) {
        Field(whole, place, field);
      } else {
        Field(whole, Place(place, field.name), field);
      }
    }
  }

 private:
  void Field(const Reflected& whole, const Place& at, const FieldShape& shape) {
    const FieldDescriptor& field = *shape.field;
    const v1::Field& options = *shape.options;
    if (!IsPresent(whole.message, whole.reflection, field)) {
      // What could not be read is not missing.
      if (options.required() && !violations_.Names(at.Text())) violations_.Add(at.Text(), "required field missing");
      return;
    }
    const size_t before = violations_.total();
    if (field.is_map()) {
      Map(whole.message, at, field, options);
    } else if (field.is_repeated()) {
      List(whole, at, field, options);
    } else if (shape.is_message) {
      Nested(whole.reflection.GetMessage(whole.message, &field), at);
    } else {
      Scalar(whole, field, -1, at, options);
    }
    if (violations_.total() == before && (options.restrictions_size() > 0 || !options.unsupported().empty())) {
      Refused(whole.message, at, shape);
    }
  }

  // Valid values that are refused all the same.
  void Refused(const Message& message, const Place& at, const FieldShape& shape) {
    const v1::Field& options = *shape.options;
    Value value;
    EncodeField(message, *shape.field, value);
    const bool is_default = shape.default_value && JsonEqual(value, *shape.default_value);
    for (const v1::Restriction& restriction : options.restrictions()) {
      if (!restricted_ || !Matches(restriction, value, is_default)) continue;
      return violations_.Add(at.Text(), restriction.instead(), restriction.reason());
    }
    if (!options.unsupported().empty() && !is_default) {
      violations_.Add(at.Text(), options.unsupported(), "NOT_YET_SUPPORTED");
    }
  }

  static bool Matches(const v1::Restriction& restriction, const Value& value, bool is_default) {
    if (restriction.value().empty()) return !is_default;
    if (!value.has_list_value()) return TextOf(value) == restriction.value();
    const auto& values = value.list_value().values();
    return std::any_of(values.begin(), values.end(), [&](const Value& v) { return TextOf(v) == restriction.value(); });
  }

  void Count(size_t size, const Place& at, const v1::Field& options) {
    const size_t most = options.max_items() > 0 ? options.max_items() : kMaxItems;
    if (size < options.min_items()) violations_.Add(at.Text(), Cat("length must be at least ", options.min_items()));
    if (size > most) violations_.Add(at.Text(), Cat("has ", size, " items, at most ", most, " are allowed"));
  }

  void List(const Reflected& whole, const Place& at, const FieldDescriptor& field, const v1::Field& options) {
    const auto& [message, reflection] = whole;
    const int size = reflection.FieldSize(message, &field);
    const size_t before = violations_.total();
    Count(static_cast<size_t>(size), at, options);
    if (violations_.total() != before) return;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      for (int i = 0; i < size; ++i) Nested(reflection.GetRepeatedMessage(message, &field, i), Place(at, i));
      return;
    }
    for (int i = 0; i < size; ++i) Scalar(whole, field, i, Place(at, i), options);
    if (!options.unique_items() || size < 2) return;
    std::set<std::string> seen;
    for (int i = 0; i < size; ++i) {
      Value value;
      EncodeElement(message, field, i, value);
      if (!seen.insert(TextOf(value)).second) {
        violations_.Add(Place(at, i).Text(), "is in the list before; values must be unique");
      }
    }
  }

  void Map(const Message& message, const Place& at, const FieldDescriptor& field, const v1::Field& options) {
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
      const Place place(at, key);
      if (!IsUtf8(key)) violations_.Add(place.Text(), "the name is not valid UTF-8");
      if (of_value.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        Nested(entry->GetReflection()->GetMessage(*entry, &of_value), place);
      } else {
        Scalar(Reflected(*entry), of_value, -1, place, options);
      }
    }
  }

  void Nested(const Message& message, const Place& at) {
    using google::protobuf::DynamicCastToGenerated;
    if (const auto* object = DynamicCastToGenerated<Struct>(&message)) {
      CheckJson(*object, at, 1, violations_);
    } else if (const auto* list = DynamicCastToGenerated<ListValue>(&message)) {
      CheckJson(*list, at, 1, violations_);
    } else if (const auto* value = DynamicCastToGenerated<Value>(&message)) {
      CheckJson(*value, at, 1, violations_);
    } else {
      Whole(message, at);
    }
  }

  // The element `index` of a repeated field, or the field itself (-1).
  void Scalar(const Reflected& whole, const FieldDescriptor& field, int index, const Place& at,
              const v1::Field& options) {
    const auto& [message, reflection] = whole;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      std::string scratch;
      const std::string& text = index < 0
                                    ? reflection.GetStringReference(message, &field, &scratch)
                                    : reflection.GetRepeatedStringReference(message, &field, index, &scratch);
      if (Text(text, at, options)) OneOf(text, at, options);
      return;
    }
    if (!options.has_min() && !options.has_max() && options.one_of_size() == 0 &&
        field.cpp_type() != FieldDescriptor::CPPTYPE_DOUBLE) {
      return;
    }
    Value value;
    EncodeElement(message, field, index, value);
    if (value.has_number_value()) Bounds(value.number_value(), at, options);
    if (options.one_of_size() > 0) OneOf(TextOf(value), at, options);
  }

  void OneOf(const std::string& text, const Place& at, const v1::Field& options) {
    if (options.one_of_size() == 0) return;
    if (std::find(options.one_of().begin(), options.one_of().end(), text) == options.one_of().end()) {
      violations_.Add(at.Text(), Cat("expected one of: ", JoinText(options.one_of(), ", ")));
    }
  }

  void Bounds(double number, const Place& at, const v1::Field& options) {
    const bool low = options.has_min() && !(number >= options.min());
    const bool high = options.has_max() && !(number <= options.max());
    if (!std::isfinite(number)) return violations_.Add(at.Text(), "expected a finite number");
    if (!low && !high) return;
    if (options.has_min() && options.has_max()) {
      violations_.Add(at.Text(),
                      Cat("value should be between ", Number(options.min()), " and ", Number(options.max())));
    } else if (low) {
      violations_.Add(at.Text(), Cat("value must be at least ", Number(options.min())));
    } else {
      violations_.Add(at.Text(), Cat("value must be at most ", Number(options.max())));
    }
  }

  bool Text(const std::string& text, const Place& at, const v1::Field& options) {
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
    if (!error.empty()) violations_.Add(at.Text(), error);
    return error.empty();
  }

  const bool restricted_;
  Violations& violations_;
};

}  // namespace

void Check(const Message& message, const Place& place, bool restricted, Violations& violations) {
  Checker(restricted, violations).Whole(message, place);
}

}  // namespace sluice::schema
