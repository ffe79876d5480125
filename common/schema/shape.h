#pragma once

// What the engine asks of a message type over and over, asked of its descriptor once: options, names and defaults.
// Internal to common/schema and common/config. Immutable once made; callable from every thread.

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"
#include "sluice/schema/v1/schema.pb.h"

namespace sluice::schema {

struct FieldShape {
  const google::protobuf::FieldDescriptor* field = nullptr;
  const v1::Field* options = nullptr;
  std::string_view name;  // in JSON
  bool is_message = false;                              // or a list or map of messages
  bool is_filled = false;                               // its default is not what absence means already
  std::optional<google::protobuf::Value> default_value;  // nullopt: none
};

struct Shape {
  std::vector<FieldShape> fields;  // in the order of the descriptor
  absl::flat_hash_map<std::string_view, size_t> by_name;
  std::vector<const FieldShape*> nested;      // message fields that have a schema of their own
  std::vector<const FieldShape*> filled;      // that have is_filled
  std::vector<const FieldShape*> references;  // that name other entities
  std::unique_ptr<const google::protobuf::Message> defaults;  // nothing but what is_filled says
  bool is_json = false;    // google.protobuf.Struct, Value or ListValue
  bool unwrapped = false;  // written as its only, repeated field
};

// Lives as long as the process.
const Shape& ShapeOf(const google::protobuf::Descriptor& type);

}  // namespace sluice::schema
