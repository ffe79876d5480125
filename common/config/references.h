#pragma once

// The fields of an entity that name other entities, single or repeated. Stateless.

#include <string>
#include <string_view>
#include <vector>

#include "common/schema/shape.h"
#include "google/protobuf/message.h"

namespace sluice::config {

struct Reference {
  const schema::FieldShape* field = nullptr;
  int index = -1;          // within a repeated field; -1 for a single one
  std::string_view value;  // id or name, where the entity has it

  const std::string& kind() const { return field->options->references(); }  // that it refers to
  std::string path() const;                                                 // "service", "ca_certificates[0]"
};

// Calls visit(reference) with each; the shape is the entity's. The visit may change what it is called with.
template <typename Visit>
void ForEachReference(const google::protobuf::Message& entity, const schema::Shape& shape, Visit visit) {
  for (const schema::FieldShape* field : shape.references) {
    if (field->is_repeated) {
      const auto& texts = schema::TextsOf(entity, shape, *field);
      for (int i = 0; i < texts.size(); ++i) visit(Reference{field, i, texts[i]});
    } else if (schema::IsPresent(entity, shape, *field)) {
      std::string unused;  // for fields that are kept as something else
      visit(Reference{field, -1, shape.reflection->GetStringReference(entity, field->field, &unused)});
    }
  }
}

std::vector<Reference> ReferencesIn(const google::protobuf::Message& entity);

// Makes the field that `reference` was read from read `value`.
void SetReference(google::protobuf::Message& entity, const Reference& reference, const std::string& value);

}  // namespace sluice::config
