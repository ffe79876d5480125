#pragma once

// What a control plane sends.

#include <string>

#include "common/config/config.h"
#include "sluice/sync/v1/sync.pb.h"

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

inline v1::ControlMessage Update(int64_t revision, const std::string& id, const std::string& config) {
  v1::ControlMessage message;
  message.mutable_update()->set_revision(revision);
  message.mutable_update()->set_gateway_id(id);
  message.mutable_update()->set_config(config);
  return message;
}

inline v1::ControlMessage Removed(int64_t revision, const std::string& id) {
  v1::ControlMessage message = Update(revision, id, "");
  message.mutable_update()->set_removed(true);
  return message;
}

inline v1::ControlMessage CaughtUp(int64_t revision) {
  v1::ControlMessage message;
  message.mutable_caught_up()->set_revision(revision);
  return message;
}

}  // namespace sluice::sync
