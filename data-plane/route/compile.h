#pragma once

// Builds a Gateway from its configuration: validates, then services, routes, consumers, plugin instances and chains.
// Lives for one call, on the sync thread.

#include <memory>
#include <span>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/config/config.h"
#include "data-plane/route/chains.h"
#include "data-plane/route/gateway.h"
#include "data-plane/route/shared_parts.h"
#include "data-plane/route/tls_material.h"

namespace sluice {

// The payload of a status that names what is wrong with a configuration: UPPER_SNAKE, as in ErrorInfo.
inline constexpr char kReasonPayload[] = "sluice/reason";
// INVALID_ARGUMENT "field: message" with that payload, and the payload's text ("INVALID" where a status has none).
absl::Status ConfigError(std::string_view reason, std::string_view field, std::string_view message);
std::string ReasonOf(const absl::Status& status);

class GatewayCompiler {
 public:
  GatewayCompiler(const config::v1::GatewayConfig& config, std::span<const PluginType> plugins,
                  const config::FleetRules& rules, std::shared_ptr<GatewayState> state, SharedParts* parts);

  absl::Status Validate();
  // Of what is valid. Once.
  absl::StatusOr<std::shared_ptr<const Gateway>> Build();

 private:
  void BuildPlan();
  absl::Status BuildEgress();
  void BuildUpstreams();
  void BuildTargets();
  absl::Status BuildServices();
  void BuildCheckRules();
  void BuildConsumers();
  void BuildRoutes();
  absl::Status BuildRouter();
  absl::Status BuildPlugins();
  absl::StatusOr<const Plugin*> MakePlugin(const config::v1::Plugin& entity);
  void BuildChains();

  const config::v1::GatewayConfig& config_;
  const std::span<const PluginType> types_;
  const config::FleetRules& rules_;
  SharedParts own_parts_;  // where none are given
  SharedParts& parts_;
  std::shared_ptr<Gateway> gateway_;
  absl::flat_hash_map<std::string, Upstream*> upstreams_by_id_;
  absl::flat_hash_map<std::string, Upstream*> upstreams_by_name_;
  absl::flat_hash_map<std::string, const Service*> services_;  // enabled ones, by id
  absl::flat_hash_map<std::string, const Consumer*> consumers_;
  absl::flat_hash_map<std::string, Route*> routes_;
  ChainBuilder chains_;
  TlsMaterial tls_;
};

}  // namespace sluice
