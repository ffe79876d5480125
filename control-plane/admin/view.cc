#include "control-plane/admin/view.h"

#include "common/config/plans.h"
#include "control-plane/admin/errors.h"
#include "control-plane/admin/etag.h"

namespace sluice::admin {

namespace {

v1::Change::Action ToAction(config::Change::Action action) {
  switch (action) {
    case config::Change::Action::kCreate: return v1::Change::CREATE;
    case config::Change::Action::kUpdate: return v1::Change::UPDATE;
    case config::Change::Action::kDelete: return v1::Change::DELETE;
  }
  return v1::Change::ACTION_UNSPECIFIED;
}

v1::Change ToChange(const config::Change& change) {
  v1::Change out;
  out.set_action(ToAction(change.action));
  out.set_kind(change.kind);
  out.set_name(change.name);
  for (const config::FieldChange& field : change.fields) {
    v1::FieldChange& one = *out.add_fields();
    one.set_field(field.field);
    one.set_before(field.before);
    one.set_after(field.after);
  }
  return out;
}

void SetPlace(const AdminDeps& deps, const store::Placement& placement, v1::Gateway& out) {
  out.set_cell(placement.cell);
  if (placement.move != store::Move::kNone) out.set_moving_to(store::Destination(placement));
  out.set_address(deps.cells.AddressOf(placement.cell));
}

}  // namespace

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
  out.set_etag(MakeEtag(record.version));
  out.set_revision(record.revision);
  *out.mutable_create_time() = ToTimestamp(record.created);
  *out.mutable_update_time() = ToTimestamp(record.updated);
  if (record.kind == config::v1::SERVERLESS) SetPlace(deps, record.placement, out);
  const v1::Rollout rollout = ToRollout(deps.registry.Rollout(record.id, record.revision));
  if (rollout.ByteSizeLong() > 0) *out.mutable_rollout() = rollout;
  return out;
}

v1::Rollout ToRollout(const sync::RolloutStatus& status) {
  v1::Rollout out;
  for (const std::string& node : status.applied) out.add_applied(node);
  for (const std::string& node : status.pending) out.add_pending(node);
  for (const auto& [node, update] : status.rejected) *out.add_rejected() = ToRejection(node, update);
  return out;
}

uint32_t AddChanges(const std::vector<config::Change>& changes, google::protobuf::RepeatedPtrField<v1::Change>& out) {
  uint32_t left_out = 0;
  size_t bytes = 0;
  for (const config::Change& change : changes) {
    v1::Change one = ToChange(change);
    bytes += one.ByteSizeLong() + 4;
    if (bytes > kMaxChangesBytes) {
      ++left_out;
    } else {
      *out.Add() = std::move(one);
    }
  }
  return left_out;
}

v1::Version ToVersion(const store::VersionRecord& record) {
  v1::Version out;
  out.set_version(record.version);
  out.set_revision(record.revision);
  out.set_author(record.author);
  out.set_message(record.message);
  *out.mutable_create_time() = ToTimestamp(record.created);
  out.set_config_bytes(record.config_bytes);
  if (record.changes) {
    out.mutable_changes()->set_created(record.changes->created);
    out.mutable_changes()->set_updated(record.changes->updated);
    out.mutable_changes()->set_deleted(record.changes->deleted);
  }
  return out;
}

absl::StatusOr<config::v1::Plan> FindPlan(const AdminDeps& deps, const std::string& name) {
  absl::StatusOr<config::v1::Plan> plan = absl::NotFoundError("no name holds a NUL character");
  if (name.find('\0') == std::string::npos) plan = deps.store.GetPlan(name);
  if (plan.ok()) return plan;
  if (!absl::IsNotFound(plan.status())) return FromStore(plan.status());
  for (const config::v1::Plan& built_in : config::BuiltInPlans()) {
    if (name == built_in.name()) return built_in;
  }
  return NotFound("plan", name, "`sluice plan list` shows those there are");
}

}  // namespace sluice::admin
