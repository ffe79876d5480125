#pragma once

// One field as JSON. Internal to common/schema. Stateless.

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"

namespace sluice::schema {

// An absent field is written as its zero, an empty list or an empty object.
void EncodeField(const google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field,
                 google::protobuf::Value& out);
// The element `index` of a repeated field, or the field itself (-1).
void EncodeElement(const google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field, int index,
                   google::protobuf::Value& out);

}  // namespace sluice::schema
