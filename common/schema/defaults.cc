#include "common/schema/copy_field.h"
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
    if (!IsPresent(message, reflection, field)) continue;
    if (!field.is_repeated()) {
      visit(*reflection.MutableMessage(&message, &field));
      continue;
    }
    for (int k = 0; k < reflection.FieldSize(message, &field); ++k) {
      visit(*reflection.MutableRepeatedMessage(&message, &field, k));
    }
  }
}

}  // namespace

void FillDefaults(Message& message) {
  const Shape& shape = ShapeOf(*message.GetDescriptor());
  if (shape.is_json) return;
  const Reflection& reflection = *message.GetReflection();
  for (const FieldShape* field : shape.filled) {
    if (!IsPresent(message, reflection, *field->field)) CopyField(*shape.defaults, reflection, *field->field, message);
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
