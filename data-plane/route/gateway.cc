#include "data-plane/route/gateway.h"

#include "absl/strings/string_view.h"
#include "common/config/key_hash.h"
#include "data-plane/route/compile.h"
#include "data-plane/route/router.h"

namespace sluice {

Gateway::Gateway() : GatewayHead("", {}, /*loaded=*/true) {}
Gateway::~Gateway() = default;

absl::StatusOr<std::shared_ptr<const Gateway>> Gateway::Compile(const config::v1::GatewayConfig& config,
                                                                std::span<const PluginType> plugins,
                                                                const config::FleetRules& rules,
                                                                std::shared_ptr<GatewayState> state,
                                                                SharedParts* parts) {
  GatewayCompiler compiler(config, plugins, rules, std::move(state), parts);
  if (absl::Status status = compiler.Validate(); !status.ok()) return status;
  return compiler.Build();
}

absl::StatusOr<std::shared_ptr<const Gateway>> Gateway::Recompile(const config::v1::GatewayConfig& config,
                                                                  std::span<const PluginType> plugins,
                                                                  const config::FleetRules& rules,
                                                                  std::shared_ptr<GatewayState> state,
                                                                SharedParts* parts) {
  GatewayCompiler compiler(config, plugins, rules, std::move(state), parts);
  return compiler.Build();
}

Match Gateway::FindRoute(const RouteQuery& query) const {
  return router_->Find(query);
}

const Consumer* Gateway::FindConsumer(std::string_view id_or_username) const {
  const auto found = consumers_by_name_.find(absl::string_view(id_or_username.data(), id_or_username.size()));
  return found == consumers_by_name_.end() ? nullptr : found->second;
}

const KeyCredential* Gateway::FindKey(std::string_view key) const {
  if (keys_.empty()) return nullptr;
  const auto found = keys_.find(config::HashKey(key));
  return found == keys_.end() ? nullptr : &found->second;
}

}  // namespace sluice
