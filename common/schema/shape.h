#pragma once

// What the engine asks of a message type over and over, asked of its descriptor once: options, names and defaults.
// Internal to common/schema and common/config. Immutable once made; callable from every thread.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"
#include "sluice/schema/v1/schema.pb.h"

namespace sluice::schema {

struct Shape;

struct FieldShape {
  using Type = google::protobuf::FieldDescriptor::CppType;

  const google::protobuf::FieldDescriptor* field = nullptr;
  const v1::Field* options = nullptr;
  const std::string* name = nullptr;  // in JSON
  Type type = Type::CPPTYPE_STRING;
  bool is_repeated = false;  // a map is, too
  bool is_map = false;
  bool is_message = false;                               // or a list or map of messages
  bool is_filled = false;                                // its default is not what absence means already
  bool is_refusable = false;                             // some valid value of it is refused
  std::vector<double> numbers;                           // options->one_of() of a number
  std::optional<google::protobuf::Value> default_value;  // nullopt: none
  const Shape* shape = nullptr;                          // of its messages; of its entries, where it is a map

  bool is_texts() const { return is_repeated && type == Type::CPPTYPE_STRING; }
};

struct Shape {
  std::vector<FieldShape> fields;  // in the order of the descriptor
  absl::flat_hash_map<std::string_view, size_t> by_name;
  std::vector<const FieldShape*> checked;     // of which some value can be wrong
  std::vector<const FieldShape*> filled;      // that have is_filled
  std::vector<const FieldShape*> fillable;    // whose messages have defaults of their own
  std::vector<const FieldShape*> references;  // that name other entities
  std::unique_ptr<const google::protobuf::Message> defaults;  // nothing but what is_filled says; null: there are none
  const google::protobuf::Message* prototype = nullptr;
  const google::protobuf::Reflection* reflection = nullptr;
  google::protobuf::Descriptor::WellKnownType well_known = google::protobuf::Descriptor::WELLKNOWNTYPE_UNSPECIFIED;
  bool is_json = false;      // google.protobuf.Struct, Value or ListValue
  bool unwrapped = false;    // written as its only, repeated field
  bool has_defaults = true;  // it, or a message inside
};

// Lives as long as the process.
const Shape& ShapeOf(const google::protobuf::Descriptor& type);
// The same where the type is known: nothing is looked up.
template <typename Message>
const Shape& ShapeOf() {
  static const Shape& shape = ShapeOf(*Message::descriptor());
  return shape;
}

// Of a field that is_texts. What replaces the deprecated function costs two virtual calls an element.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
inline const google::protobuf::RepeatedPtrField<std::string>& TextsOf(const google::protobuf::Message& message,
                                                                      const Shape& shape, const FieldShape& field) {
  return shape.reflection->GetRepeatedPtrField<std::string>(message, field.field);
}
#pragma GCC diagnostic pop

inline bool IsPresent(const google::protobuf::Message& message, const Shape& shape, const FieldShape& field) {
  if (!field.is_repeated) return shape.reflection->HasField(message, field.field);
  if (field.is_texts()) return !TextsOf(message, shape, field).empty();
  return shape.reflection->FieldSize(message, field.field) > 0;
}

}  // namespace sluice::schema
