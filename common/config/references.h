#pragma once

// The fields of an entity that name other entities, single or repeated. Stateless.

#include <string>
#include <vector>

#include "google/protobuf/message.h"

namespace sluice::config {

struct Reference {
  const google::protobuf::FieldDescriptor* field = nullptr;
  int index = -1;     // within a repeated field; -1 for a single one
  std::string value;  // id or name

  const std::string& kind() const;  // that it refers to
  std::string path() const;         // "service", "ca_certificates[0]"
};

std::vector<Reference> ReferencesIn(const google::protobuf::Message& entity);

// Makes the field that `reference` was read from read `value`.
void SetReference(google::protobuf::Message& entity, const Reference& reference, const std::string& value);

}  // namespace sluice::config
