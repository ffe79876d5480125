#include "common/config/references.h"

#include "common/schema/json.h"
#include "common/schema/options.h"
#include "common/schema/shape.h"

namespace sluice::config {

using google::protobuf::Message;

const std::string& Reference::kind() const {
  return schema::OptionsOf(*field).references();
}

std::string Reference::path() const {
  return index < 0 ? field->name() : schema::Join(field->name(), index);
}

std::vector<Reference> ReferencesIn(const Message& entity) {
  std::vector<Reference> out;
  const auto& reflection = *entity.GetReflection();
  for (const schema::FieldShape* shape : schema::ShapeOf(*entity.GetDescriptor()).references) {
    const auto* field = shape->field;
    if (field->is_repeated()) {
      for (int at = 0; at < reflection.FieldSize(entity, field); ++at)
        out.push_back({field, at, reflection.GetRepeatedString(entity, field, at)});
    } else if (reflection.HasField(entity, field)) {
      out.push_back({field, -1, reflection.GetString(entity, field)});
    }
  }
  return out;
}

void SetReference(Message& entity, const Reference& reference, const std::string& value) {
  const auto& reflection = *entity.GetReflection();
  if (reference.index < 0) {
    reflection.SetString(&entity, reference.field, value);
  } else {
    reflection.SetRepeatedString(&entity, reference.field, reference.index, value);
  }
}

}  // namespace sluice::config
