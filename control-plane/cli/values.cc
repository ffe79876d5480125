#include "control-plane/cli/values.h"

#include "common/config/entity.h"
#include "common/schema/schema.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/time_util.h"

namespace sluice::cli {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Struct;
using google::protobuf::Value;

Value MessageValue(const Message& message) {
  Value value;
  if (const auto* time = dynamic_cast<const google::protobuf::Timestamp*>(&message)) {
    value.set_string_value(google::protobuf::util::TimeUtil::ToString(*time));
  } else if (const auto* object = dynamic_cast<const Struct*>(&message)) {
    *value.mutable_struct_value() = *object;
  } else {
    *value.mutable_struct_value() = ToStruct(message);
  }
  return value;
}

// `index` -1: the field does not repeat.
Value FieldValue(const Message& message, const FieldDescriptor& field, int index) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const bool one = index < 0;
  Value value;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      value.set_string_value(one ? reflection.GetString(message, &field)
                                 : reflection.GetRepeatedString(message, &field, index));
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      value.set_bool_value(one && reflection.GetBool(message, &field));
      break;
    case FieldDescriptor::CPPTYPE_INT32:
      value.set_number_value(reflection.GetInt32(message, &field));
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      value.set_number_value(static_cast<double>(reflection.GetInt64(message, &field)));
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      value.set_number_value(reflection.GetUInt32(message, &field));
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      value.set_number_value(static_cast<double>(reflection.GetUInt64(message, &field)));
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      value.set_string_value(reflection.GetEnum(message, &field)->name());
      break;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageValue(one ? reflection.GetMessage(message, &field)
                              : reflection.GetRepeatedMessage(message, &field, index));
    default:
      break;
  }
  return value;
}

}  // namespace

Struct ToStruct(const Message& message) {
  if (const auto* entity = dynamic_cast<const config::v1::Entity*>(&message)) {
    Struct object = config::Unwrap(*entity) == nullptr ? Struct() : schema::Encode(*config::Unwrap(*entity));
    (*object.mutable_fields())["kind"].set_string_value(std::string(config::KindOf(*entity)));
    return object;
  }
  Struct object;
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    Value& out = (*object.mutable_fields())[field.name()];
    if (field.is_repeated()) {
      out.mutable_list_value();
      const int size = message.GetReflection()->FieldSize(message, &field);
      for (int j = 0; j < size; ++j) *out.mutable_list_value()->add_values() = FieldValue(message, field, j);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
               !message.GetReflection()->HasField(message, &field)) {
      object.mutable_fields()->erase(field.name());
    } else {
      out = FieldValue(message, field, -1);
    }
  }
  return object;
}

std::string WriteJson(const Struct& value) {
  return schema::ToJson(value, 2) + "\n";
}

}  // namespace sluice::cli
