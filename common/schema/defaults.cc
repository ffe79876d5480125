#include "common/base/check.h"
#include "common/schema/encode_field.h"
#include "common/schema/json.h"
#include "common/schema/options.h"
#include "common/schema/schema.h"
#include "common/schema/text.h"

namespace sluice::schema {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::Struct;
using google::protobuf::Value;

Value DefaultOf(const FieldDescriptor& field) {
  Value value;
  std::string error;
  SLUICE_CHECK(ParseJsonValue(OptionsOf(field).default_(), value, error));
  return value;
}

// Calls `visit` with every message inside, but not inside JSON of no schema.
template <typename Visit>
void ForEachNested(Message& message, Visit visit) {
  const Reflection& reflection = *message.GetReflection();
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || IsJson(*field.message_type())) continue;
    if (!IsPresent(message, field)) continue;
    if (!field.is_repeated()) {
      visit(*reflection.MutableMessage(&message, &field));
      continue;
    }
    const bool scalars = field.is_map() && field.message_type()->map_value()->message_type() == nullptr;
    for (int k = 0; !scalars && k < reflection.FieldSize(message, &field); ++k) {
      visit(*reflection.MutableRepeatedMessage(&message, &field, k));
    }
  }
}

void SetDefault(Message& message, const FieldDescriptor& field) {
  Struct object;
  (*object.mutable_fields())[WireName(field)] = DefaultOf(field);
  Violations violations;
  Decode(object, "", message, violations);
  SLUICE_CHECK(violations.empty());
}

}  // namespace

void FillDefaults(Message& message) {
  const Descriptor& type = *message.GetDescriptor();
  if (IsJson(type)) return;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const std::string& text = OptionsOf(field).default_();
    if (!text.empty() && text != "[]" && !IsPresent(message, field)) SetDefault(message, field);
  }
  ForEachNested(message, [](Message& nested) { FillDefaults(nested); });
}

void StripDefaults(Message& message) {
  const Descriptor& type = *message.GetDescriptor();
  if (IsJson(type)) return;
  ForEachNested(message, [](Message& nested) { StripDefaults(nested); });
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (OptionsOf(field).default_().empty() || !IsPresent(message, field)) continue;
    Value value;
    EncodeField(message, field, value);
    if (JsonEqual(value, DefaultOf(field))) message.GetReflection()->ClearField(&message, &field);
  }
}

}  // namespace sluice::schema
