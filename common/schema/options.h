#pragma once

// What the engine's files ask of descriptors: the options of a field, and the shape that JSON gives it. Internal to
// common/schema. Stateless.

#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "sluice/schema/v1/schema.pb.h"

namespace sluice::schema {

inline const v1::Field& OptionsOf(const google::protobuf::FieldDescriptor& field) {
  return field.options().GetExtension(v1::field);
}

// The name in JSON: the proto name, or the json_name where one was chosen ("X-Cache-Key").
const std::string& WireName(const google::protobuf::FieldDescriptor& field);

// A message that is written as its only, repeated field.
inline bool IsUnwrapped(const google::protobuf::Descriptor& message) {
  return message.options().GetExtension(v1::message).unwrap();
}

// google.protobuf.Struct, Value or ListValue: JSON of any shape.
bool IsJson(const google::protobuf::Descriptor& message);

// "a" + "b" is "a.b"; "" + "b" is "b". A key is cut and escaped where it is long or not printable.
std::string Join(const std::string& path, std::string_view key);
std::string Join(const std::string& path, int index);

}  // namespace sluice::schema
