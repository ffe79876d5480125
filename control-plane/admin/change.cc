#include "control-plane/admin/change.h"

#include "common/config/lists.h"
#include "common/schema/schema.h"
#include "common/schema/text.h"
#include "control-plane/admin/etag.h"
#include "control-plane/admin/lists.h"
#include "control-plane/admin/repeat.h"

namespace sluice::admin {

namespace {

using config::v1::GatewayConfig;
using schema::Cat;

// What the database holds unique within a kind. A plugin's name repeats; a credential's key is a hash.
std::string UniqueName(const config::v1::Plugin& plugin) { return plugin.instance_name(); }
std::string UniqueName(const config::v1::Consumer& consumer) { return consumer.username(); }
std::string UniqueName(const config::v1::KeyAuthCredential& credential) { return credential.key(); }
std::string UniqueName(const config::v1::Target&) { return ""; }
template <typename Entity>
std::string UniqueName(const Entity& entity) {
  return config::NameIn(entity);
}

std::vector<store::EntityRow> RowsOf(const GatewayConfig& config) {
  std::vector<store::EntityRow> rows;
  config::ForEachList(config, [&rows](std::string_view kind, const auto& list) {
    for (const auto& entity : list) {
      rows.push_back({std::string(kind), entity.id(), UniqueName(entity), ReferencesOf(entity)});
    }
  });
  return rows;
}

// What is wanted, complete and valid.
absl::StatusOr<Changed> Wanted(const AdminDeps& deps, const ChangeRequest& request, const GatewayConfig& current,
                               const Edit& edit, int64_t now) {
  schema::Violations violations;
  Changed changed;
  changed.config = current;
  changed.version = current.version();
  if (absl::Status edited = edit(current, changed.config, violations); !edited.ok()) return edited;
  Stamp(current, changed.config, now, request.restores);
  config::Complete(changed.config, violations, request.paths);
  config::Validate(changed.config, deps.rules, violations, request.paths);
  config::CheckExpiry(current, changed.config, now, violations, request.paths);
  if (!violations.empty()) return Invalid(violations, request.rename);
  return changed;
}

// The change in memory: everything but the commit.
absl::StatusOr<Changed> Prepare(const AdminDeps& deps, const ChangeRequest& request, const GatewayConfig& current,
                                const Edit& edit) {
  const int64_t now = UnixSeconds(deps.clock.WallNow());
  absl::StatusOr<Changed> changed = Wanted(deps, request, current, edit, now);
  if (!changed.ok()) return changed;
  changed->changes = config::Diff(current, changed->config);
  std::vector<std::string> updated;
  for (const config::Change& change : changed->changes) {
    if (change.action == config::Change::Action::kUpdate) updated.push_back(change.id);
  }
  SetUpdated(changed->config, updated, now);
  return changed;
}

store::ChangeCounts Count(const std::vector<config::Change>& changes) {
  store::ChangeCounts counts;
  for (const config::Change& change : changes) {
    switch (change.action) {
      case config::Change::Action::kCreate: ++counts.created; break;
      case config::Change::Action::kUpdate: ++counts.updated; break;
      case config::Change::Action::kDelete: ++counts.deleted; break;
    }
  }
  return counts;
}

// What the call's earlier self did.
absl::StatusOr<Changed> AsThen(const AdminDeps& deps, const ChangeRequest& request, const store::KeptRequest& kept) {
  Changed then;
  then.config.set_id(kept.gateway_id);
  then.version = kept.version;
  then.revision = kept.revision;
  if (request.entity_id != nullptr) *request.entity_id = kept.entity_id;
  const absl::StatusOr<GatewayConfig> config = LoadConfig(deps, kept.gateway_id, kept.version);
  if (absl::IsNotFound(config.status())) return then;
  if (!config.ok()) return config.status();
  then.config = *config;
  if (kept.revision == 0) return then;
  const absl::StatusOr<GatewayConfig> before = LoadConfig(deps, kept.gateway_id, kept.version - 1);
  if (before.ok()) then.changes = config::Diff(*before, *config);
  return then;
}

// Commits what is there to commit, and keeps the request. False: it is kept already, and nothing was done.
absl::StatusOr<bool> Keep(const AdminDeps& deps, Call& call, const ChangeRequest& request, Changed& changed) {
  store::KeptRequest kept = ToKeep(call);
  if (request.entity_id != nullptr) kept.entity_id = *request.entity_id;
  if (changed.changes.empty()) {
    if (kept.request_id.empty()) return true;
    kept.gateway_id = changed.config.id();
    kept.version = changed.version;
    return deps.store.KeepRequest(kept);
  }
  store::Write write;
  write.config = changed.config;
  write.expected_version = changed.version;
  write.author = call.caller.name;
  write.message = request.message;
  write.audit = call.Audit();
  write.changes = Count(changed.changes);
  write.request = std::move(kept);
  write.entities = RowsOf(changed.config);
  const absl::StatusOr<store::Committed> committed = deps.store.Commit(write);
  if (!committed.ok()) return committed.status();
  if (committed->repeated) return false;
  call.audited = true;
  changed.version = committed->version;
  changed.revision = committed->revision;
  changed.config.set_version(committed->version);
  deps.index.Refresh().IgnoreError();  // the doorbell rings for it as well
  return true;
}

}  // namespace

absl::Status CheckMessage(const std::string& message) {
  if (message.size() > kMaxMessageBytes) {
    return InvalidField("message", Cat("at most ", kMaxMessageBytes, " bytes"), "TOO_LONG");
  }
  if (message.find('\0') == std::string::npos) return absl::OkStatus();
  return InvalidField("message", "may not hold a NUL character", "CHARACTER");
}

absl::Status CommitFailed(const absl::Status& status) {
  if (absl::IsUnavailable(status)) {
    return WithReason(
        absl::StatusCode::kUnavailable,
        "the database went away during the change: it may or may not have been made; read it, or repeat the call, "
        "which a request_id makes safe",
        "DATABASE");
  }
  if (absl::IsAborted(status)) {
    return WithReason(absl::StatusCode::kAborted, "others keep changing this gateway; try again", "CONFLICT");
  }
  return FromStore(status);
}

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
  if (absl::Status message = CheckMessage(request.message); !message.ok()) return message;
  // With an etag once more, to see what it is compared with.
  const int retries = request.etag.empty() ? kMaxCommitRetries : 1;
  for (int attempt = 0;; ++attempt) {
    const absl::StatusOr<std::optional<store::KeptRequest>> repeat = FindRepeat(deps, call);
    if (!repeat.ok()) return repeat.status();
    if (repeat->has_value()) return AsThen(deps, request, **repeat);
    const absl::StatusOr<store::GatewayRecord> gateway = FindGateway(deps, call, request.gateway);
    if (!gateway.ok()) return gateway.status();
    const absl::StatusOr<GatewayConfig> current = LoadConfig(deps, gateway->id, 0);
    if (!current.ok()) return current.status();
    if (absl::Status same = CheckEtag(request.etag, gateway->name, current->version()); !same.ok()) return same;
    absl::StatusOr<Changed> changed = Prepare(deps, request, *current, edit);
    if (!changed.ok() || request.dry_run) return changed;
    const absl::StatusOr<bool> kept = Keep(deps, call, request, *changed);
    if (kept.ok() && *kept) return changed;
    const absl::Status failed = kept.ok() ? absl::AbortedError("made by another call just now") : kept.status();
    if (!absl::IsAborted(failed) || attempt == retries) return CommitFailed(failed);
  }
}

absl::StatusOr<store::Write> PrepareNew(const AdminDeps& deps, const Call& call, const GatewayConfig& config,
                                        const ChangeRequest& request, const Edit& edit) {
  absl::StatusOr<Changed> changed = Wanted(deps, request, config, edit, UnixSeconds(deps.clock.WallNow()));
  if (!changed.ok()) return changed.status();
  store::Write write;
  write.author = call.caller.name;
  write.message = request.message;
  write.audit = call.Audit();
  write.entities = RowsOf(changed->config);
  write.changes.created = static_cast<uint32_t>(write.entities.size());
  write.config = std::move(changed->config);
  return write;
}

absl::StatusOr<store::Committed> CommitNew(const AdminDeps& deps, Call& call, const GatewayConfig& config,
                                           const std::string& cell) {
  store::Write write;
  write.config = config;
  write.cell = cell;
  write.author = call.caller.name;
  write.message = "created";
  call.gateway = config.id();
  write.audit = call.Audit();
  write.request = ToKeep(call);
  const absl::StatusOr<store::Committed> committed = deps.store.Commit(write);
  if (absl::IsAlreadyExists(committed.status())) return committed;
  if (!committed.ok()) return CommitFailed(committed.status());
  if (committed->repeated) return committed;
  call.audited = true;
  deps.index.Refresh().IgnoreError();
  return committed;
}

}  // namespace sluice::admin
