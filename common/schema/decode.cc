#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/container/inlined_vector.h"
#include "common/base/check.h"
#include "common/schema/json.h"
#include "common/schema/options.h"
#include "common/schema/schema.h"
#include "common/schema/shape.h"
#include "common/schema/suggest.h"
#include "common/schema/text.h"
#include "google/protobuf/map_field.h"

namespace sluice::schema {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::Struct;
using google::protobuf::Value;

constexpr double kMaxExact = 9007199254740992;  // 2^53: JSON numbers are doubles

class Decoder {
 public:
  Decoder(Violations& violations, std::span<const std::string_view> others)
      : violations_(violations), others_(others) {}

  void Object(const Struct& in, const Place& place, Message& out, const Shape& shape) {
    absl::InlinedVector<std::pair<size_t, const Value*>, 16> known;  // in the order of the fields
    std::vector<std::string_view> unknown;
    for (const auto& [name, value] : in.fields()) {
      if (value.has_null_value() || (depth_ == 0 && IsOther(name))) continue;
      const auto found = shape.by_name.find(std::string_view(name));
      if (found == shape.by_name.end()) {
        unknown.push_back(name);
      } else if (value.kind_case() != Value::KIND_NOT_SET && !shape.fields[found->second].options->read_only()) {
        known.emplace_back(found->second, &value);
      }
    }
    std::sort(known.begin(), known.end());
    for (const auto& [index, value] : known) {
      const FieldShape& field = shape.fields[index];
      const Place at(place, *field.name);
      if (depth_ > 0 || CheckJson(*value, at, 2, violations_)) {
        ++depth_;
        Field(*value, at, {out, *shape.reflection, field});
        --depth_;
      }
    }
    if (!unknown.empty()) Unknown(std::move(unknown), shape, place);
  }

 private:
  bool IsOther(std::string_view name) const {
    return std::find(others_.begin(), others_.end(), name) != others_.end();
  }

  void Unknown(std::vector<std::string_view> unknown, const Shape& shape, const Place& place) {
    std::vector<std::string> known;
    for (const FieldShape& field : shape.fields) known.push_back(*field.name);
    std::sort(unknown.begin(), unknown.end());
    for (const std::string_view name : unknown) {
      violations_.Add(Place(place, name).Text(), Cat("unknown field", DidYouMean(name, known)));
    }
  }

  void Expected(std::string_view what, const Value& in, const Place& place) {
    violations_.Add(place.Text(), Cat("expected ", what, ", not ", NameOfKind(in)));
  }

  // A field of a message that is being written.
  struct Slot {
    Message& out;
    const Reflection& reflection;  // of the message
    const FieldShape& field;
  };

  void Field(const Value& in, const Place& place, const Slot& slot) {
    if (slot.field.is_map) return Map(in, place, slot);
    if (slot.field.is_repeated) return List(in, place, slot);
    if (!slot.field.is_message) return Scalar(in, place, slot);
    Nested(in, place, *slot.reflection.MutableMessage(&slot.out, slot.field.field), *slot.field.shape);
  }

  void List(const Value& in, const Place& place, const Slot& slot) {
    if (!in.has_list_value()) return Expected("an array", in, place);
    const auto& [out, reflection, field] = slot;
    const auto& values = in.list_value().values();
    if (values.empty() && field.is_filled) {
      return violations_.Add(place.Text(), "length must be at least 1; leave it out for its default");
    }
    for (int i = 0; i < values.size(); ++i) {
      if (field.is_message) {
        Nested(values[i], Place(place, i), *reflection.AddMessage(&out, field.field), *field.shape);
      } else {
        Scalar(values[i], Place(place, i), slot);
      }
    }
  }

  void Map(const Value& in, const Place& place, const Slot& slot) {
    if (!in.has_struct_value()) return Expected("an object", in, place);
    const Shape& of_entry = *slot.field.shape;
    SLUICE_CHECK(of_entry.fields[0].type == FieldDescriptor::CPPTYPE_STRING);
    std::vector<std::string_view> names;
    for (const auto& entry : in.struct_value().fields()) names.push_back(entry.first);
    std::sort(names.begin(), names.end());
    for (std::string_view name : names) {
      const Value& value = in.struct_value().fields().at(std::string(name));
      if (value.has_null_value()) continue;
      Message* entry = slot.reflection.AddMessage(&slot.out, slot.field.field);
      of_entry.reflection->SetString(entry, of_entry.fields[0].field, std::string(name));
      Field(value, Place(place, name), {*entry, *of_entry.reflection, of_entry.fields[1]});
    }
  }

  void Nested(const Value& in, const Place& place, Message& out, const Shape& shape) {
    if (shape.is_json) return Json(in, place, out, shape);
    if (shape.unwrapped) return List(in, place, {out, *shape.reflection, shape.fields.front()});
    if (!in.has_struct_value()) return Expected("an object", in, place);
    Object(in.struct_value(), place, out, shape);
  }

  void Json(const Value& in, const Place& place, Message& out, const Shape& shape) {
    switch (shape.well_known) {
      case Descriptor::WELLKNOWNTYPE_STRUCT:
        if (!in.has_struct_value()) return Expected("an object", in, place);
        return out.CopyFrom(in.struct_value());
      case Descriptor::WELLKNOWNTYPE_LISTVALUE:
        if (!in.has_list_value()) return Expected("an array", in, place);
        return out.CopyFrom(in.list_value());
      default:
        return out.CopyFrom(in);
    }
  }

  void Scalar(const Value& in, const Place& place, const Slot& slot) {
    switch (slot.field.type) {
      case FieldDescriptor::CPPTYPE_STRING:
        return String(in, place, slot);
      case FieldDescriptor::CPPTYPE_BOOL:
        if (!in.has_bool_value()) return Expected("a boolean", in, place);
        return Put<bool>(slot, in.bool_value());
      case FieldDescriptor::CPPTYPE_DOUBLE:
        if (!in.has_number_value()) return Expected("a number", in, place);
        return Put<double>(slot, in.number_value());
      case FieldDescriptor::CPPTYPE_INT32:
        return Integer<int32_t>(in, place, slot);
      case FieldDescriptor::CPPTYPE_UINT32:
        return Integer<uint32_t>(in, place, slot);
      case FieldDescriptor::CPPTYPE_INT64:
        return Integer<int64_t>(in, place, slot);
      case FieldDescriptor::CPPTYPE_UINT64:
        return Integer<uint64_t>(in, place, slot);
      default:
        SLUICE_CHECK(false && "a schema uses a type that the engine does not know");
    }
  }

  // A reference may be written as an object with the one thing that names the entity.
  void String(const Value& in, const Place& place, const Slot& slot) {
    if (in.has_string_value()) return Put<std::string>(slot, in.string_value());
    if (slot.field.options->references().empty()) return Expected("a string", in, place);
    if (!in.has_struct_value()) return Expected("a name, or an object with name or id", in, place);
    const Value* named = nullptr;
    for (const char* key : {"id", "name", "username"}) {
      const auto found = in.struct_value().fields().find(key);
      if (found != in.struct_value().fields().end() && found->second.has_string_value()) named = &found->second;
      if (named != nullptr) break;
    }
    if (named == nullptr) return violations_.Add(place.Text(), "expected a name, or an object with name or id");
    Put<std::string>(slot, named->string_value());
  }

  template <typename T>
  void Integer(const Value& in, const Place& place, const Slot& slot) {
    if (!in.has_number_value()) return Expected("an integer", in, place);
    const double number = in.number_value();
    if (number != std::floor(number)) return violations_.Add(place.Text(), "expected an integer");
    const double low = std::max(static_cast<double>(std::numeric_limits<T>::min()), -kMaxExact);
    const double high = std::min(static_cast<double>(std::numeric_limits<T>::max()), kMaxExact);
    if (number < low || number > high) {
      return violations_.Add(
          place.Text(),
          Cat("value should be between ", static_cast<int64_t>(low), " and ", static_cast<int64_t>(high)));
    }
    Put<T>(slot, static_cast<T>(number));
  }

  template <typename T>
  void Put(const Slot& slot, T value) {
    const auto& [out, reflection, shape] = slot;
    const FieldDescriptor* field = shape.field;
    const bool add = shape.is_repeated;
    if constexpr (std::is_same_v<T, std::string>) {
      add ? reflection.AddString(&out, field, std::move(value)) : reflection.SetString(&out, field, std::move(value));
    } else if constexpr (std::is_same_v<T, bool>) {
      add ? reflection.AddBool(&out, field, value) : reflection.SetBool(&out, field, value);
    } else if constexpr (std::is_same_v<T, double>) {
      add ? reflection.AddDouble(&out, field, value) : reflection.SetDouble(&out, field, value);
    } else if constexpr (std::is_same_v<T, int32_t>) {
      add ? reflection.AddInt32(&out, field, value) : reflection.SetInt32(&out, field, value);
    } else if constexpr (std::is_same_v<T, uint32_t>) {
      add ? reflection.AddUInt32(&out, field, value) : reflection.SetUInt32(&out, field, value);
    } else if constexpr (std::is_same_v<T, int64_t>) {
      add ? reflection.AddInt64(&out, field, value) : reflection.SetInt64(&out, field, value);
    } else {
      add ? reflection.AddUInt64(&out, field, value) : reflection.SetUInt64(&out, field, value);
    }
  }

  Violations& violations_;
  const std::span<const std::string_view> others_;  // in the outermost object
  int depth_ = 0;  // 0: in the outermost object
};

}  // namespace

void Decode(const Struct& in, const Place& place, Message& out, Violations& violations,
            std::span<const std::string_view> others) {
  Decoder(violations, others).Object(in, place, out, ShapeOf(*out.GetDescriptor()));
}

}  // namespace sluice::schema
