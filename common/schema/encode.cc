#include "common/base/check.h"
#include "common/schema/encode_field.h"
#include "common/schema/options.h"
#include "common/schema/schema.h"
#include "common/schema/shape.h"

namespace sluice::schema {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::ListValue;
using google::protobuf::Message;
using google::protobuf::Struct;
using google::protobuf::Value;

void EncodeMessage(const Message& message, Value& out);

}  // namespace

void EncodeElement(const Message& message, const FieldDescriptor& field, int index, Value& out) {
  const auto& reflection = *message.GetReflection();
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      out.set_string_value(one ? reflection.GetString(message, &field)
                               : reflection.GetRepeatedString(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      out.set_bool_value(one ? reflection.GetBool(message, &field)
                             : reflection.GetRepeatedBool(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      out.set_number_value(one ? reflection.GetDouble(message, &field)
                               : reflection.GetRepeatedDouble(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_INT32:
      out.set_number_value(one ? reflection.GetInt32(message, &field)
                               : reflection.GetRepeatedInt32(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_UINT32:
      out.set_number_value(one ? reflection.GetUInt32(message, &field)
                               : reflection.GetRepeatedUInt32(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_INT64:
      out.set_number_value(static_cast<double>(one ? reflection.GetInt64(message, &field)
                                                   : reflection.GetRepeatedInt64(message, &field, index)));
      return;
    case FieldDescriptor::CPPTYPE_UINT64:
      out.set_number_value(static_cast<double>(one ? reflection.GetUInt64(message, &field)
                                                   : reflection.GetRepeatedUInt64(message, &field, index)));
      return;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return EncodeMessage(
          one ? reflection.GetMessage(message, &field) : reflection.GetRepeatedMessage(message, &field, index), out);
    default:
      SLUICE_CHECK(false && "a schema uses a type that the engine does not know");
  }
}

namespace {

void EncodeMessage(const Message& message, Value& out) {
  switch (message.GetDescriptor()->well_known_type()) {
    case Descriptor::WELLKNOWNTYPE_STRUCT:
      out.mutable_struct_value()->CopyFrom(message);
      return;
    case Descriptor::WELLKNOWNTYPE_LISTVALUE:
      out.mutable_list_value()->CopyFrom(message);
      return;
    case Descriptor::WELLKNOWNTYPE_VALUE:
      out.CopyFrom(message);
      return;
    default:
      break;
  }
  if (IsUnwrapped(*message.GetDescriptor())) return EncodeField(message, *message.GetDescriptor()->field(0), out);
  *out.mutable_struct_value() = Encode(message);
}

}  // namespace

void EncodeField(const Message& message, const FieldDescriptor& field, Value& out) {
  if (!field.is_repeated()) return EncodeElement(message, field, -1, out);
  const auto& reflection = *message.GetReflection();
  const int size = reflection.FieldSize(message, &field);
  if (field.is_map()) {
    auto& fields = *out.mutable_struct_value()->mutable_fields();
    const FieldDescriptor& key = *field.message_type()->map_key();
    for (int i = 0; i < size; ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      Value& value = fields[entry.GetReflection()->GetString(entry, &key)];
      EncodeElement(entry, *field.message_type()->map_value(), -1, value);
    }
    return;
  }
  ListValue& list = *out.mutable_list_value();
  for (int i = 0; i < size; ++i) EncodeElement(message, field, i, *list.add_values());
}

Struct Encode(const Message& message) {
  Struct out;
  for (const FieldShape& shape : ShapeOf(*message.GetDescriptor()).fields) {
    const FieldDescriptor& field = *shape.field;
    if (IsPresent(message, field)) EncodeField(message, field, (*out.mutable_fields())[std::string(shape.name)]);
  }
  return out;
}

}  // namespace sluice::schema
