#include "control-plane/admin/new_gateway.h"

#include "common/base/random.h"
#include "common/config/plans.h"
#include "common/schema/text.h"
#include "control-plane/admin/change.h"
#include "control-plane/admin/errors.h"
#include "control-plane/admin/names.h"
#include "control-plane/admin/view.h"

namespace sluice::admin {

void CheckKind(config::v1::GatewayKind kind, const std::string& plan, schema::Violations& violations) {
  if (!config::v1::GatewayKind_IsValid(kind)) violations.Add("kind", "SERVERLESS or SELF_MANAGED");
  const bool of_owner = kind == config::v1::SELF_MANAGED;
  if (plan == PlanOr("", of_owner ? config::v1::SERVERLESS : config::v1::SELF_MANAGED)) {
    violations.Add("plan", schema::Cat("is for ", of_owner ? "serverless" : "self-managed", " gateways"),
                   "PLAN_OF_OTHER_KIND");
  }
}

config::v1::GatewayKind KindOr(config::v1::GatewayKind kind) {
  return kind == config::v1::GATEWAY_KIND_UNSPECIFIED ? config::v1::SERVERLESS : kind;
}

std::string PlanOr(const std::string& plan, config::v1::GatewayKind kind) {
  if (!plan.empty()) return plan;
  return (kind == config::v1::SELF_MANAGED ? config::SelfManagedPlan() : config::ServerlessPlan()).name();
}

absl::Status KeepBuiltIn(const AdminDeps& deps, const Call& call, const config::v1::Plan& plan) {
  const bool built_in =
      plan.name() == PlanOr("", config::v1::SERVERLESS) || plan.name() == PlanOr("", config::v1::SELF_MANAGED);
  if (!built_in || !absl::IsNotFound(deps.store.GetPlan(plan.name()).status())) return absl::OkStatus();
  return FromStore(deps.store.PutPlan(plan, call.Audit()));
}

absl::Status TakePlanOfNow(const AdminDeps& deps, const Call& call, const config::v1::GatewayConfig& config,
                           int64_t& revision) {
  const absl::StatusOr<config::v1::Plan> plan = FindPlan(deps, config.plan().name());
  if (!plan.ok() || plan->SerializeAsString() == config.plan().SerializeAsString()) return absl::OkStatus();
  const Edit edit = [&](const auto&, config::v1::GatewayConfig& wanted, schema::Violations&) {
    *wanted.mutable_plan() = *plan;
    return absl::OkStatus();
  };
  Call own = call;
  own.fingerprint.clear();  // this is a part of what was asked for, not what was asked for
  const absl::StatusOr<Changed> changed = ChangeConfig(deps, own, {config.id(), "plan changed"}, edit);
  if (changed.ok() && changed->revision != 0) revision = changed->revision;
  return changed.status();
}

config::v1::GatewayConfig NewConfig(const AdminDeps& deps, const std::string& name, config::v1::GatewayKind kind,
                                    const config::v1::Plan& plan) {
  config::v1::GatewayConfig config;
  const Duration now = deps.clock.WallNow().time_since_epoch();
  config.set_id(TimeOrderedUuid(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()));
  config.set_name(name);
  config.set_version(1);
  config.set_kind(kind);
  *config.mutable_plan() = plan;
  return config;
}

absl::StatusOr<std::string> NextCell(placement::Chooser& chooser, config::v1::GatewayKind kind) {
  if (kind != config::v1::SERVERLESS) return store::kDefaultCell;  // which it is not served in
  absl::StatusOr<std::string> cell = chooser.Next();
  if (cell.ok()) return cell;
  return WithReason(cell.status().code(), std::string(cell.status().message()), "NO_CELL");
}

void SetHosts(const AdminDeps& deps, bool own_host, config::v1::GatewayConfig& config) {
  config.clear_hosts();
  config.add_hosts(GeneratedHost(deps.base_domain));
  if (own_host) config.add_hosts(schema::Cat(config.name(), ".", deps.base_domain));
}

}  // namespace sluice::admin
