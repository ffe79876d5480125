#include "control-plane/admin/plan_rules.h"

#include "common/config/plugin_catalogue.h"
#include "common/egress/policy.h"
#include "common/schema/text.h"
#include "control-plane/admin/errors.h"
#include "control-plane/admin/names.h"

namespace sluice::admin {

namespace {

using schema::Cat;

void Bound(const char* field, uint64_t value, uint64_t low, uint64_t high, schema::Violations& violations) {
  if (value >= low && value <= high) return;
  violations.Add(Cat("plan.", field), Cat("must be between ", low, " and ", high), "BOUNDS");
}

}  // namespace

absl::Status CheckPlan(const config::v1::Plan& plan) {
  if (absl::Status name = CheckName("plan.name", plan.name()); !name.ok()) return name;
  schema::Violations violations;
  Bound("requests_per_second", plan.requests_per_second(), 0, kMaxPlanRequestsPerSecond, violations);
  Bound("max_body_bytes", plan.max_body_bytes(), 0, kMaxPlanBodyBytes, violations);
  Bound("max_requests_in_flight", plan.max_requests_in_flight(), 1, kMaxPlanRequestsInFlight, violations);
  Bound("max_upstream_connections", plan.max_upstream_connections(), 1, kMaxPlanConnections, violations);
  Bound("max_pending_per_target", plan.max_pending_per_target(), 1, kMaxPlanPending, violations);
  Bound("max_buffered_bytes", plan.max_buffered_bytes(), 1, kMaxPlanBufferedBytes, violations);
  if (plan.allow_plugins_size() > kMaxPlanPlugins)
    violations.Add("plan.allow_plugins", Cat("at most ", kMaxPlanPlugins));
  if (plan.egress_allow_size() > kMaxPlanRanges) violations.Add("plan.egress_allow", Cat("at most ", kMaxPlanRanges));
  for (int i = 0; i < std::min(plan.allow_plugins_size(), kMaxPlanPlugins); ++i) {
    if (config::FindPlugin(plan.allow_plugins(i)) != nullptr) continue;
    violations.Add(Cat("plan.allow_plugins[", i, "]"),
                   "no plugin has this name; `sluice plugins` lists those there are");
  }
  for (int i = 0; i < std::min(plan.egress_allow_size(), kMaxPlanRanges); ++i) {
    const absl::StatusOr<egress::Range> range = egress::ParseRange(plan.egress_allow(i));
    if (!range.ok()) violations.Add(Cat("plan.egress_allow[", i, "]"), std::string(range.status().message()));
  }
  return violations.empty() ? absl::OkStatus() : Invalid(violations);
}

}  // namespace sluice::admin
