#include "common/base/check.h"
#include "common/schema/encode_field.h"
#include "common/schema/schema.h"

namespace sluice::schema {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::ListValue;
using google::protobuf::Message;
using google::protobuf::Struct;
using google::protobuf::Value;

void EncodeObject(const Message& message, const Shape& shape, Struct& out) {
  for (const FieldShape& field : shape.fields) {
    if (IsPresent(message, shape, field)) {
      EncodeField(message, shape, field, (*out.mutable_fields())[*field.name]);
    }
  }
}

void EncodeMessage(const Message& message, const Shape& shape, Value& out) {
  switch (shape.well_known) {
    case Descriptor::WELLKNOWNTYPE_STRUCT:
      return out.mutable_struct_value()->CopyFrom(message);
    case Descriptor::WELLKNOWNTYPE_LISTVALUE:
      return out.mutable_list_value()->CopyFrom(message);
    case Descriptor::WELLKNOWNTYPE_VALUE:
      return out.CopyFrom(message);
    default:
      break;
  }
  if (shape.unwrapped) return EncodeField(message, shape, shape.fields.front(), out);
  EncodeObject(message, shape, *out.mutable_struct_value());
}

}  // namespace

double NumberOf(const Element& element) {
  const auto& [message, reflection, field, index] = element;
  const bool one = index < 0;
  switch (field.type) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return one ? reflection.GetDouble(message, field.field)
                 : reflection.GetRepeatedDouble(message, field.field, index);
    case FieldDescriptor::CPPTYPE_INT32:
      return one ? reflection.GetInt32(message, field.field) : reflection.GetRepeatedInt32(message, field.field, index);
    case FieldDescriptor::CPPTYPE_UINT32:
      return one ? reflection.GetUInt32(message, field.field)
                 : reflection.GetRepeatedUInt32(message, field.field, index);
    case FieldDescriptor::CPPTYPE_INT64:
      return static_cast<double>(one ? reflection.GetInt64(message, field.field)
                                     : reflection.GetRepeatedInt64(message, field.field, index));
    case FieldDescriptor::CPPTYPE_UINT64:
      return static_cast<double>(one ? reflection.GetUInt64(message, field.field)
                                     : reflection.GetRepeatedUInt64(message, field.field, index));
    default:
      SLUICE_CHECK(false && "a schema uses a type that the engine does not know");
  }
}

void EncodeElement(const Element& element, Value& out) {
  const auto& [message, reflection, field, index] = element;
  const bool one = index < 0;
  switch (field.type) {
    case FieldDescriptor::CPPTYPE_STRING:
      return out.set_string_value(reflection.GetString(message, field.field));
    case FieldDescriptor::CPPTYPE_BOOL:
      out.set_bool_value(one ? reflection.GetBool(message, field.field)
                             : reflection.GetRepeatedBool(message, field.field, index));
      return;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return EncodeMessage(one ? reflection.GetMessage(message, field.field)
                               : reflection.GetRepeatedMessage(message, field.field, index),
                           *field.shape, out);
    default:
      out.set_number_value(NumberOf(element));
  }
}

void EncodeField(const Message& message, const Shape& shape, const FieldShape& field, Value& out) {
  const auto& reflection = *shape.reflection;
  if (!field.is_repeated) return EncodeElement({message, reflection, field}, out);
  if (field.is_texts()) {
    ListValue& list = *out.mutable_list_value();
    for (const std::string& text : TextsOf(message, shape, field)) list.add_values()->set_string_value(text);
    return;
  }
  const int size = reflection.FieldSize(message, field.field);
  if (field.is_map) {
    auto& fields = *out.mutable_struct_value()->mutable_fields();
    const Shape& of_entry = *field.shape;
    for (int i = 0; i < size; ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, field.field, i);
      Value& value = fields[of_entry.reflection->GetString(entry, of_entry.fields[0].field)];
      EncodeElement({entry, *of_entry.reflection, of_entry.fields[1]}, value);
    }
    return;
  }
  ListValue& list = *out.mutable_list_value();
  for (int i = 0; i < size; ++i) EncodeElement({message, reflection, field, i}, *list.add_values());
}

Struct Encode(const Message& message) {
  Struct out;
  EncodeObject(message, ShapeOf(*message.GetDescriptor()), out);
  return out;
}

}  // namespace sluice::schema
