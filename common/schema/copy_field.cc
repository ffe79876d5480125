#include "common/schema/copy_field.h"

namespace sluice::schema {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void CopyElement(const Message& from, const Reflection& both, const FieldDescriptor& field, int i, Message& to) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return both.AddString(&to, &field, both.GetRepeatedString(from, &field, i));
    case FieldDescriptor::CPPTYPE_BOOL:
      return both.AddBool(&to, &field, both.GetRepeatedBool(from, &field, i));
    case FieldDescriptor::CPPTYPE_INT32:
      return both.AddInt32(&to, &field, both.GetRepeatedInt32(from, &field, i));
    case FieldDescriptor::CPPTYPE_INT64:
      return both.AddInt64(&to, &field, both.GetRepeatedInt64(from, &field, i));
    case FieldDescriptor::CPPTYPE_UINT32:
      return both.AddUInt32(&to, &field, both.GetRepeatedUInt32(from, &field, i));
    case FieldDescriptor::CPPTYPE_UINT64:
      return both.AddUInt64(&to, &field, both.GetRepeatedUInt64(from, &field, i));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return both.AddFloat(&to, &field, both.GetRepeatedFloat(from, &field, i));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return both.AddDouble(&to, &field, both.GetRepeatedDouble(from, &field, i));
    case FieldDescriptor::CPPTYPE_ENUM:
      return both.AddEnumValue(&to, &field, both.GetRepeatedEnumValue(from, &field, i));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return both.AddMessage(&to, &field)->CopyFrom(both.GetRepeatedMessage(from, &field, i));
  }
}

}  // namespace

void CopyField(const Message& from, const Reflection& both, const FieldDescriptor& field, Message& to) {
  if (field.is_repeated()) {
    for (int i = 0; i < both.FieldSize(from, &field); ++i) CopyElement(from, both, field, i, to);
    return;
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return both.SetString(&to, &field, both.GetString(from, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return both.SetBool(&to, &field, both.GetBool(from, &field));
    case FieldDescriptor::CPPTYPE_INT32:
      return both.SetInt32(&to, &field, both.GetInt32(from, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return both.SetInt64(&to, &field, both.GetInt64(from, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return both.SetUInt32(&to, &field, both.GetUInt32(from, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return both.SetUInt64(&to, &field, both.GetUInt64(from, &field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return both.SetFloat(&to, &field, both.GetFloat(from, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return both.SetDouble(&to, &field, both.GetDouble(from, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return both.SetEnumValue(&to, &field, both.GetEnumValue(from, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return both.MutableMessage(&to, &field)->CopyFrom(both.GetMessage(from, &field));
  }
}

}  // namespace sluice::schema
