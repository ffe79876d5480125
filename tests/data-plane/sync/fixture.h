#pragma once

// Configurations as a control plane sends them.

#include <string>

#include "common/config/config.h"

namespace sluice::sync {

// Serialised: gateway `id` on `<id>.test` with one service.
inline std::string Config(const std::string& id, int version, const std::string& upstream = "up.test") {
  config::v1::GatewayConfig config;
  config.set_id(id);
  config.set_name(id);
  config.set_version(version);
  config.add_hosts(id + ".test");
  *config.mutable_plan() = config::ServerlessPlan();
  auto* service = config.add_services();
  service->set_name("s");
  service->set_host(upstream);
  schema::Violations violations;
  config::Complete(config, violations);
  return config::ToBytes(config);
}

}  // namespace sluice::sync
