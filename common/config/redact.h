#pragma once

// Hides what must not be shown of an entity. Stateless.

#include "google/protobuf/struct.pb.h"
#include "sluice/config/v1/entities.pb.h"

namespace sluice::config {

// Replaces every secret in `fields`, the entity as schema::Encode writes it, by "***": fields whose schema says secret,
// those of a plugin's configuration included. All of the configuration is hidden where the plugin has no schema.
void Redact(const v1::Entity& entity, google::protobuf::Struct& fields);

// Makes each private key read "sha256:<64 hex digits>" of its text. Whatever leaves the control plane towards people
// and programs goes through it; only nodes are sent the text.
void HideKeys(v1::Certificate& certificate);
void HideKeys(v1::Entity& entity);

}  // namespace sluice::config
