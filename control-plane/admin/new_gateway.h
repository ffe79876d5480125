#pragma once

// What every new gateway begins with, however it is made. Callable from every thread; blocks on the store.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/schema/violation.h"
#include "control-plane/admin/call.h"
#include "sluice/config/v1/gateway.pb.h"

namespace sluice::admin {

// A kind that there is, and no plan that is built in for the other one.
void CheckKind(config::v1::GatewayKind kind, const std::string& plan, schema::Violations& violations);

// SERVERLESS where unspecified.
config::v1::GatewayKind KindOr(config::v1::GatewayKind kind);
// The plan's name; of the kind where none was asked for.
std::string PlanOr(const std::string& plan, config::v1::GatewayKind kind);

// Gateways refer to their plan in the store, where the built-in one may not be yet.
absl::Status KeepBuiltIn(const AdminDeps& deps, const Call& call, const config::v1::Plan& plan);

// A plan that was set between reading it and committing the gateway is taken over now, since setting it did not see
// this gateway. `revision` moves where that was so.
absl::Status TakePlanOfNow(const AdminDeps& deps, const Call& call, const config::v1::GatewayConfig& config,
                           int64_t& revision);

// With an id and without hosts and entities.
config::v1::GatewayConfig NewConfig(const AdminDeps& deps, const std::string& name, config::v1::GatewayKind kind,
                                    const config::v1::Plan& plan);
// The cells for gateways of this moment. RESOURCE_EXHAUSTED: there is none for one more.
absl::StatusOr<std::string> NextCell(placement::Chooser& chooser, config::v1::GatewayKind kind);
// A generated one and, where it may be, the name's own.
void SetHosts(const AdminDeps& deps, bool own_host, config::v1::GatewayConfig& config);

}  // namespace sluice::admin
