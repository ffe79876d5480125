#include "common/config/config.h"
#include "common/config/limits.h"
#include "common/config/plans.h"

namespace sluice::config {

v1::Plan ServerlessPlan() {
  v1::Plan plan;
  plan.set_name("serverless");
  plan.set_requests_per_second(kServerlessRequestsPerSecond);
  plan.set_max_body_bytes(kServerlessMaxBodyBytes);
  plan.set_max_requests_in_flight(kServerlessMaxRequestsInFlight);
  plan.set_max_upstream_connections(kServerlessMaxUpstreamConnections);
  plan.set_max_pending_per_target(kServerlessMaxPendingPerTarget);
  plan.set_max_buffered_bytes(kServerlessMaxBufferedBytes);
  plan.set_plugin_restrictions(true);
  return plan;
}

v1::Plan SelfManagedPlan() {
  v1::Plan plan;
  plan.set_name("self-managed");
  plan.set_max_requests_in_flight(kSelfManagedMaxRequestsInFlight);
  plan.set_max_upstream_connections(kSelfManagedMaxUpstreamConnections);
  plan.set_max_pending_per_target(kSelfManagedMaxPendingPerTarget);
  plan.set_max_buffered_bytes(kSelfManagedMaxBufferedBytes);
  plan.add_egress_allow("0.0.0.0/0");
  plan.add_egress_allow("::/0");
  return plan;
}

std::vector<v1::Plan> BuiltInPlans() { return {ServerlessPlan(), SelfManagedPlan()}; }

}  // namespace sluice::config
