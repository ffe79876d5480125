#pragma once

// Hides what must not be shown of an entity. Stateless.

#include "google/protobuf/struct.pb.h"
#include "sluice/config/v1/entities.pb.h"

namespace sluice::config {

// Replaces every secret in `fields`, the entity as schema::Encode writes it, by "***": fields whose schema says secret,
// those of a plugin's configuration included. All of the configuration is hidden where the plugin has no schema.
void Redact(const v1::Entity& entity, google::protobuf::Struct& fields);

}  // namespace sluice::config
