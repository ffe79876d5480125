#include "common/base/check.h"
#include "common/schema/encode_field.h"
#include "common/schema/json.h"
#include "common/schema/options.h"
#include "common/schema/schema.h"
#include "common/schema/shape.h"

namespace sluice::schema {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::Value;

// Calls `visit` with every message inside, but not inside JSON of no schema.
template <typename Visit>
void ForEachNested(Message& message, const Shape& shape, Visit visit) {
  const Reflection& reflection = *message.GetReflection();
  for (const FieldShape* nested : shape.nested) {
    const FieldDescriptor& field = *nested->field;
    if (!IsPresent(message, field)) continue;
    if (!field.is_repeated()) {
      visit(*reflection.MutableMessage(&message, &field));
      continue;
    }
    for (int k = 0; k < reflection.FieldSize(message, &field); ++k) {
      visit(*reflection.MutableRepeatedMessage(&message, &field, k));
    }
  }
}

void CopyRepeated(const Message& from, const FieldDescriptor& field, Message& to) {
  const Reflection& reflection = *to.GetReflection();
  for (int i = 0; i < reflection.FieldSize(from, &field); ++i) {
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        reflection.AddString(&to, &field, reflection.GetRepeatedString(from, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection.AddInt32(&to, &field, reflection.GetRepeatedInt32(from, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection.AddUInt32(&to, &field, reflection.GetRepeatedUInt32(from, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection.AddInt64(&to, &field, reflection.GetRepeatedInt64(from, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection.AddUInt64(&to, &field, reflection.GetRepeatedUInt64(from, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        reflection.AddDouble(&to, &field, reflection.GetRepeatedDouble(from, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection.AddBool(&to, &field, reflection.GetRepeatedBool(from, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        reflection.AddMessage(&to, &field)->CopyFrom(reflection.GetRepeatedMessage(from, &field, i));
        break;
      default:
        SLUICE_CHECK(false && "a schema uses a type that the engine does not know");
    }
  }
}

void CopyField(const Message& from, const FieldDescriptor& field, Message& to) {
  const Reflection& reflection = *to.GetReflection();
  if (field.is_repeated()) return CopyRepeated(from, field, to);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(&to, &field, reflection.GetString(from, &field));
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.SetInt32(&to, &field, reflection.GetInt32(from, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.SetUInt32(&to, &field, reflection.GetUInt32(from, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.SetInt64(&to, &field, reflection.GetInt64(from, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.SetUInt64(&to, &field, reflection.GetUInt64(from, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.SetDouble(&to, &field, reflection.GetDouble(from, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(&to, &field, reflection.GetBool(from, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return reflection.MutableMessage(&to, &field)->CopyFrom(reflection.GetMessage(from, &field));
    default:
      SLUICE_CHECK(false && "a schema uses a type that the engine does not know");
  }
}

}  // namespace

void FillDefaults(Message& message) {
  const Shape& shape = ShapeOf(*message.GetDescriptor());
  if (shape.is_json) return;
  for (const FieldShape& field : shape.fields) {
    if (field.is_filled && !IsPresent(message, *field.field)) CopyField(*shape.defaults, *field.field, message);
  }
  ForEachNested(message, shape, [](Message& nested) { FillDefaults(nested); });
}

void StripDefaults(Message& message) {
  const Shape& shape = ShapeOf(*message.GetDescriptor());
  if (shape.is_json) return;
  ForEachNested(message, shape, [](Message& nested) { StripDefaults(nested); });
  for (const FieldShape& field : shape.fields) {
    if (!field.default_value || !IsPresent(message, *field.field)) continue;
    Value value;
    EncodeField(message, *field.field, value);
    if (JsonEqual(value, *field.default_value)) message.GetReflection()->ClearField(&message, field.field);
  }
}

}  // namespace sluice::schema
