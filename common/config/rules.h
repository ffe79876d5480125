#pragma once

// What the rules of a valid gateway share; Validate calls one function a concern. Internal to common/config. Lives as
// long as one call of Validate.

#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "common/config/config.h"
#include "common/config/entity_paths.h"
#include "common/config/plugin_catalogue.h"
#include "common/egress/policy.h"
#include "common/schema/place.h"
#include "common/schema/violation.h"

namespace sluice::config {

struct Checkup {
  const v1::GatewayConfig& config;
  schema::Violations& violations;
  EntityPaths at;
  egress::Policy policy;
  absl::flat_hash_map<std::string_view, const v1::Service*> services;  // by id
  absl::flat_hash_map<std::string_view, const v1::Route*> routes;
  size_t regexes = 0;  // counted so far

  // Only where something is wrong: most configurations are right.
  std::string Path(std::string_view kind, int index, std::string_view field) const {
    return at.Of(kind, index) + "." + std::string(field);
  }
};

bool CheckCounts(const v1::GatewayConfig& config, schema::Violations& violations);  // false: too many to look at
void CheckSize(Checkup& checkup);
void CheckSchemas(Checkup& checkup);
void CheckReferences(Checkup& checkup);
void CheckUniqueness(Checkup& checkup);
void CheckServices(Checkup& checkup);
void CheckRoutes(Checkup& checkup);
void CheckUpstreams(Checkup& checkup);
void CheckConsumers(Checkup& checkup);     // and their credentials
void CheckCertificates(Checkup& checkup);  // their SNIs, and authorities
void CheckPlugins(Checkup& checkup);
void CheckEgress(Checkup& checkup);

// Counts regexes of `field` ("routes"): each one costs memory on every node, and time on requests.
void AddRegexes(Checkup& checkup, std::string_view field, size_t regexes);

// Decodes a plugin's configuration and fills in its defaults. `descriptor` is of its message.
std::unique_ptr<google::protobuf::Message> DecodeConfig(const google::protobuf::Struct& config,
                                                        const google::protobuf::Descriptor& descriptor,
                                                        const schema::Place& place, schema::Violations& violations);

// "there is no service 'x'".
void AddDangling(const std::string& field, std::string_view kind, std::string_view reference,
                 schema::Violations& violations);

}  // namespace sluice::config
