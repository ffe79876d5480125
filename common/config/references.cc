#include "common/config/references.h"

#include "common/schema/options.h"

namespace sluice::config {

using google::protobuf::Message;

std::string Reference::path() const {
  return index < 0 ? *field->name : schema::Join(*field->name, index);
}

std::vector<Reference> ReferencesIn(const Message& entity) {
  std::vector<Reference> out;
  ForEachReference(entity, schema::ShapeOf(*entity.GetDescriptor()),
                   [&out](const Reference& reference) { out.push_back(reference); });
  return out;
}

void SetReference(Message& entity, const Reference& reference, const std::string& value) {
  const auto& reflection = *entity.GetReflection();
  if (reference.index < 0) {
    reflection.SetString(&entity, reference.field->field, value);
  } else {
    reflection.SetRepeatedString(&entity, reference.field->field, reference.index, value);
  }
}

}  // namespace sluice::config
