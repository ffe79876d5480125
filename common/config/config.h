#pragma once

// What a valid gateway is. The control plane validates a change with this code before it commits it, and every node
// validates again with the same code before it compiles it. Stateless; callable from every thread.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/config/document_paths.h"
#include "common/config/key_hash.h"
#include "common/egress/policy.h"
#include "common/schema/violation.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"
#include "sluice/config/v1/gateway.pb.h"

namespace sluice::config {

// What the operator decided for the whole platform; control plane and nodes hold every gateway to the same rules.
struct FleetRules {
  std::vector<egress::Range> egress_allow;  // beyond public addresses and beyond what a plan allows
  std::vector<egress::Range> protect;       // the platform's own: never reachable, whoever allows it
};

// Of a build and its rules: who has the same finds the same configurations good. "0.1.0-" and 16 hexadecimal digits.
std::string RulesId(std::string_view build, const FleetRules& rules);

// Checks the whole configuration: every entity and plugin configuration against its schema, names and keys unique,
// references present, cross-field rules (Kong's), plan limits (config/limits.h), plugin catalogue and restrictions,
// upstream addresses against the egress policy, certificates and their keys, regexes compile, size of the compiled
// bytes. The configuration must be complete. Field paths read `routes[name-or-id].paths[0]`; with `paths`, which
// ParseDocument and Complete have seen, `services[0].routes[1].paths[0]`.
void Validate(const v1::GatewayConfig& config, const FleetRules& rules, schema::Violations& violations,
              const DocumentPaths* paths = nullptr);

// The authorities that `current` has not, and that have expired at `now` (Unix seconds). Apart from Validate: what was
// valid when it was written does not become a mistake by waiting, or nodes would refuse it when they start.
void CheckExpiry(const v1::GatewayConfig& current, const v1::GatewayConfig& wanted, int64_t now,
                 schema::Violations& violations, const DocumentPaths* paths = nullptr);

// Fills in defaults everywhere (plugin configurations included), gives ids to entities without one, expands
// Service.url, normalises targets, certificates and SNIs, resolves references to ids; references that name nothing are
// violations. Keys of key-auth credentials become "sha256:<64 hex digits>", which is accepted as input too: no key is
// ever stored, and a dump applies without a change. Entities are left in a canonical order (by created_at, then id; set
// created_at before), so that equal configurations have equal bytes where they are written by ToBytes. What cannot be
// completed is left as it is, for Validate to name.
void Complete(v1::GatewayConfig& config, schema::Violations& violations, DocumentPaths* paths = nullptr);

// The serialised configuration, or a part of it: equal bytes for equal configurations.
std::string ToBytes(const google::protobuf::Message& config);

// The plugin's configuration as the message that its catalogue entry names, defaults filled in: what PluginType::make
// takes. INVALID_ARGUMENT with the field's path and what is wrong.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> DecodePluginConfig(const v1::Plugin& plugin);

// The plan every gateway has where no other was named: limits.md.
v1::Plan ServerlessPlan();

// Reads a decK document (`_format_version`, nested or flat entities) into the entity lists of `out`; references stay as
// written. Violations carry document paths (`services[0].routes[1].paths[0]`), which `paths` remembers for what
// follows. A service or route without name and id gets an id that its content determines, so that the same document
// means the same one.
void ParseDocument(const google::protobuf::Struct& document, v1::GatewayConfig& out, schema::Violations& violations,
                   DocumentPaths* paths = nullptr);

// The same back: defaults left out, references by name, ids only where an entity has no name. Parsing, completing and
// diffing it against `config` finds no change.
google::protobuf::Struct WriteDocument(const v1::GatewayConfig& config);

}  // namespace sluice::config
