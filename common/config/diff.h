#pragma once

// What a change changes, entity by entity. Stateless.

#include <string>
#include <vector>

#include "sluice/config/v1/gateway.pb.h"

namespace sluice::config {

struct FieldChange {
  std::string field;   // "paths[0]"
  std::string before;  // JSON, "" where absent; secrets read "***"
  std::string after;
};

struct Change {
  enum class Action { kCreate, kUpdate, kDelete } action;
  std::string kind;  // "route"; "gateway" for plan and hosts, which are updated only
  std::string name;  // what a person calls it: name, username, target; else its id
  std::string id;
  std::vector<FieldChange> fields;  // of an update; server-set fields (id, created_at, updated_at) never count
};

// Of one gateway; both must be complete (config.h). Entities are matched by id.
std::vector<Change> Diff(const v1::GatewayConfig& before, const v1::GatewayConfig& after);

// Gives each entity of `wanted` that has no id the id, created_at and updated_at of its namesake in `current` (matched
// by kind and natural key: name; username or custom_id; (consumer, key); (upstream, target); for plugins (name,
// instance_name, scope); name of an SNI; text of a certificate), so that applying the same document twice changes
// nothing. Private keys written as "sha256:<64 hex digits>" become the key of `current` with that hash. Call before
// Complete.
void AdoptIdentities(const v1::GatewayConfig& current, v1::GatewayConfig& wanted);

}  // namespace sluice::config
