#include "control-plane/admin/change.h"

#include <algorithm>

#include "common/config/entity.h"
#include "common/schema/schema.h"
#include "common/schema/text.h"
#include "control-plane/admin/lists.h"

namespace sluice::admin {

namespace {

using config::v1::Entity;
using config::v1::GatewayConfig;
using schema::Cat;

// What the database holds unique within a kind. A plugin's name repeats; a credential's key is a hash.
std::string UniqueName(const Entity& entity) {
  if (entity.has_plugin()) return entity.plugin().instance_name();
  if (entity.has_consumer()) return entity.consumer().username();
  if (entity.has_key_auth()) return entity.key_auth().key();
  if (entity.has_target()) return "";
  return config::NameOf(entity);
}

store::EntityRow RowOf(const Entity& entity) {
  const Message& inside = *config::Unwrap(entity);
  store::EntityRow row;
  row.kind = std::string(config::KindOf(entity));
  row.id = config::IdOf(entity);
  row.name = UniqueName(entity);
  const google::protobuf::FieldDescriptor* tags = inside.GetDescriptor()->FindFieldByName("tags");
  for (int i = 0; i < inside.GetReflection()->FieldSize(inside, tags); ++i) {
    row.tags.push_back(inside.GetReflection()->GetRepeatedString(inside, tags, i));
  }
  row.body = schema::ToJson(schema::Encode(inside));
  row.references = ReferencesOf(inside);
  return row;
}

void AddRows(const Changed& changed, store::Write& write) {
  for (const config::Change& change : changed.changes) {
    if (change.action == config::Change::Action::kDelete) {
      write.deletes.emplace_back(change.kind, change.id);
    } else if (const std::optional<Entity> entity = config::FindEntity(changed.config, change.kind, change.id)) {
      write.upserts.push_back(RowOf(*entity));
    }
  }
}

bool SameGateway(const GatewayConfig& a, const GatewayConfig& b) {
  return a.plan().SerializeAsString() == b.plan().SerializeAsString() &&
         std::equal(a.hosts().begin(), a.hosts().end(), b.hosts().begin(), b.hosts().end());
}

// The change in memory: everything but the commit.
absl::StatusOr<Changed> Prepare(const AdminDeps& deps, const ChangeRequest& request, const GatewayConfig& current,
                                const Edit& edit) {
  const int64_t now = UnixSeconds(deps.clock.WallNow());
  schema::Violations violations;
  Changed changed;
  changed.config = current;
  changed.version = current.version();
  if (absl::Status edited = edit(current, changed.config, violations); !edited.ok()) return edited;
  Stamp(current, changed.config, now);
  config::Complete(changed.config, violations, request.paths);
  config::Validate(changed.config, deps.rules, violations, request.paths);
  config::CheckExpiry(current, changed.config, now, violations, request.paths);
  if (!violations.empty()) return Invalid(violations, request.rename);
  changed.changes = config::Diff(current, changed.config);
  std::vector<std::string> updated;
  for (const config::Change& change : changed.changes) {
    if (change.action == config::Change::Action::kUpdate) updated.push_back(change.id);
  }
  SetUpdated(changed.config, updated, now);
  return changed;
}

absl::Status CommitFailed(const absl::Status& status) {
  if (absl::IsUnavailable(status)) {
    return WithReason(
        absl::StatusCode::kUnavailable,
        "the database went away during the change: it may or may not have been made; read it, or repeat the call",
        "DATABASE");
  }
  if (absl::IsAborted(status)) {
    return WithReason(absl::StatusCode::kAborted, "others keep changing this gateway; try again", "CONFLICT");
  }
  return FromStore(status);
}

}  // namespace

absl::StatusOr<store::GatewayRecord> FindGateway(const AdminDeps& deps, Call& call, const std::string& id_or_name) {
  if (id_or_name.empty()) return InvalidField("gateway", "name a gateway: its name or its id", "REQUIRED");
  const bool storable = id_or_name.find('\0') == std::string::npos;
  absl::StatusOr<store::GatewayRecord> record = absl::NotFoundError("no name holds a NUL character");
  if (storable) record = deps.store.GetGateway(id_or_name);
  if (absl::IsNotFound(record.status()))
    return NotFound("gateway", id_or_name, "`sluice gateway list` shows those there are");
  if (!record.ok()) return FromStore(record.status());
  call.gateway = record->id;
  return record;
}

absl::StatusOr<GatewayConfig> LoadConfig(const AdminDeps& deps, const std::string& gateway_id, int64_t version) {
  const absl::StatusOr<store::VersionRecord> record = deps.store.GetVersion(gateway_id, version);
  if (absl::IsNotFound(record.status()) && version != 0) {
    return NotFound("version", std::to_string(version),
                    Cat("the latest ", store::kMaxVersionsKept, " versions are kept"));
  }
  if (absl::IsNotFound(record.status())) return NotFound("gateway", gateway_id);
  if (!record.ok()) return FromStore(record.status());
  GatewayConfig config;
  if (!config.ParseFromString(record->config)) {
    return FromStore(
        absl::DataLossError(Cat("version ", record->version, " of gateway ", gateway_id, " cannot be read")));
  }
  config.set_version(record->version);
  return config;
}

absl::StatusOr<Changed> ChangeConfig(const AdminDeps& deps, Call& call, const ChangeRequest& request,
                                     const Edit& edit) {
  if (request.message.size() > kMaxMessageBytes) {
    return InvalidField("message", Cat("at most ", kMaxMessageBytes, " bytes"), "TOO_LONG");
  }
  if (request.message.find('\0') != std::string::npos) {
    return InvalidField("message", "may not hold a NUL character", "CHARACTER");
  }
  const absl::StatusOr<store::GatewayRecord> gateway = FindGateway(deps, call, request.gateway);
  if (!gateway.ok()) return gateway.status();
  for (int attempt = 0;; ++attempt) {
    const absl::StatusOr<GatewayConfig> current = LoadConfig(deps, gateway->id, 0);
    if (!current.ok()) return current.status();
    absl::StatusOr<Changed> changed = Prepare(deps, request, *current, edit);
    if (!changed.ok()) return changed;
    if (request.dry_run || (changed->changes.empty() && SameGateway(*current, changed->config))) return changed;
    store::Write write;
    write.config = changed->config;
    write.expected_version = current->version();
    write.author = call.caller.name;
    write.message = request.message;
    write.audit = call.Audit();
    AddRows(*changed, write);
    const absl::StatusOr<store::Committed> committed = deps.store.Commit(write);
    if (absl::IsAborted(committed.status()) && attempt < kMaxCommitRetries) continue;
    if (!committed.ok()) return CommitFailed(committed.status());
    call.audited = true;
    changed->version = committed->version;
    changed->revision = committed->revision;
    changed->config.set_version(committed->version);
    deps.index.Refresh().IgnoreError();  // the doorbell rings for it as well
    return changed;
  }
}

absl::StatusOr<store::Committed> CommitNew(const AdminDeps& deps, Call& call, const GatewayConfig& config) {
  store::Write write;
  write.config = config;
  write.author = call.caller.name;
  write.message = "created";
  call.gateway = config.id();
  write.audit = call.Audit();
  const absl::StatusOr<store::Committed> committed = deps.store.Commit(write);
  if (absl::IsAlreadyExists(committed.status())) return committed;
  if (!committed.ok()) return CommitFailed(committed.status());
  call.audited = true;
  deps.index.Refresh().IgnoreError();
  return committed;
}

absl::Status CheckWait(const v1::Wait& wait) {
  if (wait.timeout_ms() <= kMaxWaitMs) return absl::OkStatus();
  return InvalidField("wait.timeout_ms", Cat("at most ", kMaxWaitMs, " (", kMaxWaitMs / 60'000, " minutes)"),
                      "TOO_LARGE");
}

absl::Status WaitUntilLive(const AdminDeps& deps, const Call& call, const v1::Wait& wait, const std::string& gateway_id,
                           int64_t revision) {
  const uint32_t timeout_ms = wait.timeout_ms() == 0 ? kDefaultWaitMs : wait.timeout_ms();
  const MonotonicTime deadline = deps.clock.Now() + std::chrono::milliseconds(timeout_ms);
  sync::RolloutStatus rollout;
  while (true) {
    const MonotonicTime now = deps.clock.Now();
    rollout = deps.registry.WaitRollout(gateway_id, revision,
                                        std::min(deadline, now + std::chrono::milliseconds(kWaitSliceMs)));
    if (rollout.pending.empty() || deps.clock.Now() >= deadline) break;
    if (call.cancelled()) return absl::CancelledError("the caller went away; the change stays");
  }
  if (!rollout.rejected.empty()) {
    std::string message = "committed, but refused by";
    std::map<std::string, std::string> metadata;
    for (const auto& [node, update] : rollout.rejected) {
      message += Cat(" ", node, " (", update.reason, ": ", update.message, ")");
      metadata[node] = update.reason;
    }
    return WithReason(absl::StatusCode::kFailedPrecondition, message + "; they serve the version before", "REJECTED",
                      metadata);
  }
  if (rollout.pending.empty()) return absl::OkStatus();
  std::string message = Cat("committed, but not live everywhere within ", timeout_ms, " ms; waiting for");
  for (const std::string& node : rollout.pending) message += Cat(" ", node);
  return WithReason(absl::StatusCode::kDeadlineExceeded, message + "; the change stays and goes on being sent",
                    "PENDING");
}

}  // namespace sluice::admin
