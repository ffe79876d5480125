#pragma once

// One field as JSON. Internal to common/schema. Stateless.

#include "common/schema/shape.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"

namespace sluice::schema {

// An element of a repeated field of `message`, or its field itself (index -1). On the stack.
struct Element {
  const google::protobuf::Message& message;
  const google::protobuf::Reflection& reflection;  // of the message
  const FieldShape& field;
  int index = -1;
};

double NumberOf(const Element& element);
void EncodeElement(const Element& element, google::protobuf::Value& out);

// `message` is of `shape`. An absent field is written as its zero, an empty list or an empty object.
void EncodeField(const google::protobuf::Message& message, const Shape& shape, const FieldShape& field,
                 google::protobuf::Value& out);

}  // namespace sluice::schema
