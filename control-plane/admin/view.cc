#include "control-plane/admin/view.h"

#include "control-plane/admin/errors.h"

namespace sluice::admin {

google::protobuf::Timestamp ToTimestamp(WallTime time) {
  const int64_t nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
  google::protobuf::Timestamp out;
  out.set_seconds(nanos / 1'000'000'000);
  out.set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
  return out;
}

v1::Rejection ToRejection(const std::string& node, const sync::RejectedUpdate& update) {
  v1::Rejection out;
  out.set_node(node);
  out.set_revision(update.revision);
  out.set_reason(update.reason);
  out.set_message(update.message);
  return out;
}

v1::Gateway ToGateway(const AdminDeps& deps, const store::GatewayRecord& record) {
  v1::Gateway out;
  out.set_id(record.id);
  out.set_name(record.name);
  out.set_kind(record.kind);
  out.set_plan(record.plan);
  for (const std::string& host : record.hosts) out.add_hosts(host);
  out.set_version(record.version);
  out.set_revision(record.revision);
  *out.mutable_create_time() = ToTimestamp(record.created);
  *out.mutable_update_time() = ToTimestamp(record.updated);
  if (record.kind != config::v1::SERVERLESS) return out;
  const sync::RolloutStatus rollout = deps.registry.Rollout(record.id, record.revision);
  for (const std::string& node : rollout.applied) out.mutable_rollout()->add_applied(node);
  for (const std::string& node : rollout.pending) out.mutable_rollout()->add_pending(node);
  for (const auto& [node, update] : rollout.rejected)
    *out.mutable_rollout()->add_rejected() = ToRejection(node, update);
  return out;
}

absl::StatusOr<config::v1::Plan> FindPlan(const AdminDeps& deps, const std::string& name) {
  absl::StatusOr<config::v1::Plan> plan = absl::NotFoundError("no name holds a NUL character");
  if (name.find('\0') == std::string::npos) plan = deps.store.GetPlan(name);
  if (plan.ok()) return plan;
  if (!absl::IsNotFound(plan.status())) return FromStore(plan.status());
  config::v1::Plan serverless = config::ServerlessPlan();
  if (name == serverless.name()) return serverless;
  return NotFound("plan", name, "`sluice plan list` shows those there are");
}

}  // namespace sluice::admin
