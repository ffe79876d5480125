#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "common/schema/encode_field.h"
#include "common/schema/format.h"
#include "common/schema/json.h"
#include "common/schema/schema.h"
#include "common/schema/shape.h"
#include "common/schema/text.h"

namespace sluice::schema {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::ListValue;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::RepeatedPtrField;
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

class Checker {
 public:
  Checker(bool restricted, Violations& violations) : restricted_(restricted), violations_(violations) {}

  void Whole(const Message& message, const Shape& shape, const Place& place) {
    for (const FieldShape* field : shape.checked) {
      if (shape.unwrapped) {
        Field(message, shape, *field, place);
      } else {
        Field(message, shape, *field, Place(place, *field->name));
      }
    }
  }

 private:
  void Field(const Message& message, const Shape& shape, const FieldShape& field, const Place& at) {
    const size_t before = violations_.total();
    if (!Contents(message, shape, field, at)) {
      // What could not be read is not missing.
      if (field.options->required() && !violations_.Names(at.Text())) {
        violations_.Add(at.Text(), "required field missing");
      }
    } else if (field.is_refusable && violations_.total() == before) {
      Refused(message, shape, field, at);
    }
  }

  // False where it is absent.
  bool Contents(const Message& message, const Shape& shape, const FieldShape& field, const Place& at) {
    const Reflection& reflection = *shape.reflection;
    if (field.is_texts()) {
      const auto& texts = TextsOf(message, shape, field);
      if (!texts.empty()) Texts(texts, field, at);
      return !texts.empty();
    }
    if (!IsPresent(message, shape, field)) return false;
    if (field.is_map) {
      Map(message, reflection, field, at);
    } else if (field.is_repeated) {
      List(message, reflection, field, at);
    } else if (field.is_message) {
      Nested(reflection.GetMessage(message, field.field), *field.shape, at);
    } else {
      Scalar({message, reflection, field}, field, at);
    }
    return true;
  }

  // Valid values that are refused all the same.
  void Refused(const Message& message, const Shape& shape, const FieldShape& field, const Place& at) {
    const v1::Field& options = *field.options;
    Value value;
    EncodeField(message, shape, field, value);
    const bool is_default = field.default_value && JsonEqual(value, *field.default_value);
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

  bool CountIsGood(int count, const Place& at, const v1::Field& options) {
    const auto size = static_cast<size_t>(count);
    const size_t before = violations_.total();
    const size_t most = options.max_items() > 0 ? options.max_items() : kMaxItems;
    if (size < options.min_items()) violations_.Add(at.Text(), Cat("length must be at least ", options.min_items()));
    if (size > most) violations_.Add(at.Text(), Cat("has ", size, " items, at most ", most, " are allowed"));
    return violations_.total() == before;
  }

  void Texts(const RepeatedPtrField<std::string>& texts, const FieldShape& field, const Place& at) {
    if (!CountIsGood(texts.size(), at, *field.options)) return;
    for (int i = 0; i < texts.size(); ++i) Text(texts[i], Place(at, i), *field.options);
    if (field.options->unique_items() && texts.size() > 1) {
      Unique(std::vector<std::string_view>(texts.begin(), texts.end()), at);
    }
  }

  void List(const Message& message, const Reflection& reflection, const FieldShape& field, const Place& at) {
    const int size = reflection.FieldSize(message, field.field);
    if (!CountIsGood(size, at, *field.options)) return;
    std::vector<double> numbers;
    for (int i = 0; i < size; ++i) {
      const Element element{message, reflection, field, i};
      if (field.is_message) {
        Nested(reflection.GetRepeatedMessage(message, field.field, i), *field.shape, Place(at, i));
        continue;
      }
      Scalar(element, field, Place(at, i));
      if (field.options->unique_items()) numbers.push_back(NumberOf(element));
    }
    Unique(numbers, at);
  }

  template <typename T>
  void Unique(const std::vector<T>& values, const Place& at) {
    std::vector<T> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end()) return;
    std::set<T> seen;
    for (size_t i = 0; i < values.size(); ++i) {
      if (seen.insert(values[i]).second) continue;
      violations_.Add(Place(at, static_cast<int>(i)).Text(), "is in the list before; values must be unique");
    }
  }

  void Map(const Message& message, const Reflection& reflection, const FieldShape& field, const Place& at) {
    const int size = reflection.FieldSize(message, field.field);
    if (!CountIsGood(size, at, *field.options)) return;
    const Shape& of_entry = *field.shape;
    std::map<std::string, const Message*> sorted;
    for (int i = 0; i < size; ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, field.field, i);
      sorted[of_entry.reflection->GetString(entry, of_entry.fields[0].field)] = &entry;
    }
    const FieldShape& of_value = of_entry.fields[1];
    for (const auto& [key, entry] : sorted) {
      const Place place(at, key);
      if (!IsUtf8(key)) violations_.Add(place.Text(), "the name is not valid UTF-8");
      if (of_value.is_message) {
        Nested(of_entry.reflection->GetMessage(*entry, of_value.field), *of_value.shape, place);
      } else {
        Scalar({*entry, *of_entry.reflection, of_value}, field, place);
      }
    }
  }

  void Nested(const Message& message, const Shape& shape, const Place& at) {
    switch (shape.well_known) {
      case Descriptor::WELLKNOWNTYPE_STRUCT:
        CheckJson(static_cast<const Struct&>(message), at, 1, violations_);
        return;
      case Descriptor::WELLKNOWNTYPE_LISTVALUE:
        CheckJson(static_cast<const ListValue&>(message), at, 1, violations_);
        return;
      case Descriptor::WELLKNOWNTYPE_VALUE:
        CheckJson(static_cast<const Value&>(message), at, 1, violations_);
        return;
      default:
        Whole(message, shape, at);
    }
  }

  // `rules` has the options that hold: the element's own field, or the map that it is a value of.
  void Scalar(const Element& element, const FieldShape& rules, const Place& at) {
    const auto& [message, reflection, field, index] = element;
    if (field.type == FieldDescriptor::CPPTYPE_STRING) {
      std::string scratch;
      Text(reflection.GetStringReference(message, field.field, &scratch), at, *rules.options);
    } else if (field.type != FieldDescriptor::CPPTYPE_BOOL) {
      const double number = NumberOf(element);
      Bounds(number, at, *rules.options);
      OneOf(rules.numbers, number, at, *rules.options);
    }
  }

  template <typename Allowed, typename T>
  void OneOf(const Allowed& allowed, const T& value, const Place& at, const v1::Field& options) {
    if (allowed.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return;
    violations_.Add(at.Text(), Cat("expected one of: ", JoinText(options.one_of(), ", ")));
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

  void Text(const std::string& text, const Place& at, const v1::Field& options) {
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
    if (!error.empty()) return violations_.Add(at.Text(), error);
    OneOf(options.one_of(), text, at, options);
  }

  const bool restricted_;
  Violations& violations_;
};

}  // namespace

void Check(const Message& message, const Shape& shape, const Place& place, bool restricted, Violations& violations) {
  Checker(restricted, violations).Whole(message, shape, place);
}

void Check(const Message& message, const Place& place, bool restricted, Violations& violations) {
  Check(message, ShapeOf(*message.GetDescriptor()), place, restricted, violations);
}

}  // namespace sluice::schema
