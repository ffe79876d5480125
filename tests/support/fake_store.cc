#include "tests/support/fake_store.h"

#include <algorithm>

namespace sluice::test {

using store::Committed;
using store::GatewayRecord;
using store::VersionRecord;

absl::Status FakeStore::Check() const {
  return down ? absl::UnavailableError("the database cannot be reached") : absl::OkStatus();
}

const FakeStore::Gateway* FakeStore::Find(const std::string& id_or_name) const {
  for (const auto& [id, gateway] : gateways_) {
    if (id == id_or_name || gateway.record.name == id_or_name) return &gateway;
  }
  return nullptr;
}

void FakeStore::EditVersion(const std::string& gateway, int64_t version,
                            const std::function<void(config::v1::GatewayConfig&)>& edit) {
  const std::lock_guard lock(mutex_);
  for (VersionRecord& record : gateways_[Find(gateway)->record.id].versions) {
    if (record.version != version) continue;
    config::v1::GatewayConfig config;
    config.ParseFromString(record.config);
    edit(config);
    record.config = config.SerializeAsString();
  }
}

absl::StatusOr<std::string> FakeStore::Epoch() { return "epoch"; }

absl::Status FakeStore::CheckTaken(const config::v1::GatewayConfig& config) const {
  for (const auto& [id, other] : gateways_) {
    if (id == config.id()) continue;
    if (other.record.name == config.name()) return absl::AlreadyExistsError("the name is taken");
    for (const std::string& host : config.hosts()) {
      if (std::count(other.record.hosts.begin(), other.record.hosts.end(), host) > 0) {
        return absl::AlreadyExistsError("the host is taken");
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Committed>> FakeStore::Import(const std::vector<store::Write>& writes,
                                                         const std::function<void(Rows)>& told) {
  for (const store::Write& write : writes) {
    const std::lock_guard lock(mutex_);
    if (absl::Status free = CheckTaken(write.config); !free.ok()) return free;
  }
  std::vector<Committed> committed;
  for (const store::Write& write : writes) {
    const absl::StatusOr<Committed> one = Commit(write);
    if (!one.ok()) return one.status();
    committed.push_back(*one);
  }
  if (!told || committed.empty()) return committed;
  Rows rows;
  {
    const std::lock_guard lock(mutex_);
    for (const Committed& one : committed) rows.push_back(rows_.at(one.revision));
  }
  told(std::move(rows));
  return committed;
}

absl::StatusOr<Committed> FakeStore::Commit(const store::Write& write) {
  if (before_commit) std::exchange(before_commit, nullptr)();
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  if (!fail_next.empty()) {
    absl::Status failure = fail_next.front();
    fail_next.pop_front();
    if (!failure.ok()) return failure;
  }
  if (IsKept(write.request)) return Committed{.repeated = true};
  const bool is_new = write.expected_version == 0;
  const auto found = gateways_.find(write.config.id());
  if (!is_new && found == gateways_.end()) return absl::NotFoundError("no such gateway");
  if (!is_new && found->second.record.version != write.expected_version) return absl::AbortedError("changed meanwhile");
  if (absl::Status free = CheckTaken(write.config); !free.ok()) return free;
  Gateway& gateway = gateways_[write.config.id()];
  config::v1::GatewayConfig config = write.config;
  config.set_version(write.expected_version + 1);
  ++revision_;
  rows_.erase(gateway.record.revision);
  const WallTime now = std::chrono::system_clock::now();
  gateway.record = {config.id(), config.name(), config.kind(), config.plan().name(),
                    {config.hosts().begin(), config.hosts().end()}, config.version(), revision_,
                    is_new ? now : gateway.record.created, now,
                    is_new ? store::Placement{write.cell} : gateway.record.placement};
  const std::string bytes = config.SerializeAsString();
  gateway.versions.push_back({config.version(), revision_, write.author, write.message, now, bytes,
                              static_cast<uint32_t>(bytes.size()), write.changes});
  rows_[revision_] = {revision_, config.id(), false, config.kind(), bytes, false, 0, gateway.record.placement,
                      /*good=*/true};
  writes_.push_back(write);
  audits_.push_back(write.audit);
  const Committed committed{config.version(), revision_};
  Keep(write.request, config.id(), committed);
  return committed;
}

absl::StatusOr<Committed> FakeStore::DeleteGateway(const store::Removal& removal) {
  if (before_commit) std::exchange(before_commit, nullptr)();
  const std::string& id = removal.gateway_id;
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  if (IsKept(removal.request)) return Committed{.repeated = true};
  const auto found = gateways_.find(id);
  if (found == gateways_.end()) return absl::NotFoundError("no such gateway");
  const int64_t expected = removal.expected_version;
  if (expected != 0 && found->second.record.version != expected) return absl::AbortedError("changed meanwhile");
  rows_.erase(found->second.record.revision);
  const Committed committed{found->second.record.version, ++revision_};
  rows_[revision_] = {revision_, id, true, found->second.record.kind, "", false, 0, found->second.record.placement};
  gateways_.erase(found);
  audits_.push_back(removal.audit);
  Keep(removal.request, id, committed);
  return committed;
}

bool FakeStore::IsKept(const store::KeptRequest& request) const {
  return !request.request_id.empty() && requests_.contains({request.caller, request.request_id});
}

void FakeStore::Keep(store::KeptRequest request, const std::string& gateway_id, const Committed& committed) {
  if (request.request_id.empty()) return;
  request.gateway_id = gateway_id;
  request.version = committed.version;
  request.revision = committed.revision;
  requests_[{request.caller, request.request_id}] = request;
}

absl::StatusOr<std::optional<store::KeptRequest>> FakeStore::FindRequest(const std::string& caller,
                                                                         const std::string& request_id) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  const auto found = requests_.find({caller, request_id});
  if (found == requests_.end()) return std::optional<store::KeptRequest>();
  return std::optional<store::KeptRequest>(found->second);
}

absl::StatusOr<bool> FakeStore::KeepRequest(const store::KeptRequest& request) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  return requests_.try_emplace({request.caller, request.request_id}, request).second;
}

absl::StatusOr<GatewayRecord> FakeStore::GetGateway(const std::string& id_or_name) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  const Gateway* gateway = Find(id_or_name);
  if (gateway == nullptr) return absl::NotFoundError("no such gateway");
  return gateway->record;
}

absl::StatusOr<std::vector<GatewayRecord>> FakeStore::ListGateways(const std::string& after_name, int limit) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  std::vector<GatewayRecord> found;
  for (const auto& [id, gateway] : gateways_) {
    if (gateway.record.name > after_name) found.push_back(gateway.record);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  if (found.size() > static_cast<size_t>(limit)) found.resize(limit);
  return found;
}

absl::StatusOr<std::vector<std::string>> FakeStore::GatewaysOnPlan(const std::string& plan) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  std::vector<std::string> ids;
  for (const auto& [id, gateway] : gateways_) {
    if (gateway.record.plan == plan) ids.push_back(id);
  }
  return ids;
}

absl::StatusOr<VersionRecord> FakeStore::GetVersion(const std::string& gateway_id, int64_t version) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  const Gateway* gateway = Find(gateway_id);
  if (gateway == nullptr) return absl::NotFoundError("no such gateway");
  if (version == 0) return gateway->versions.back();
  for (const VersionRecord& record : gateway->versions) {
    if (record.version == version) return record;
  }
  return absl::NotFoundError("no such version");
}

absl::StatusOr<std::vector<VersionRecord>> FakeStore::ListVersions(const std::string& gateway_id, int64_t before,
                                                                   int limit) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  const Gateway* gateway = Find(gateway_id);
  if (gateway == nullptr) return absl::NotFoundError("no such gateway");
  std::vector<VersionRecord> found;
  for (auto it = gateway->versions.rbegin(); it != gateway->versions.rend(); ++it) {
    if ((before != 0 && it->version >= before) || found.size() >= static_cast<size_t>(limit)) continue;
    found.push_back(*it);
    found.back().config.clear();
  }
  return found;
}

absl::StatusOr<std::vector<store::ConfigRow>> FakeStore::ConfigsAfter(int64_t after, int limit) {
  const std::lock_guard lock(mutex_);
  ++reads;
  if (absl::Status up = Check(); !up.ok()) return up;
  std::vector<store::ConfigRow> found;
  for (auto it = rows_.upper_bound(after); it != rows_.end() && found.size() < static_cast<size_t>(limit); ++it) {
    found.push_back(it->second);
    found.back().horizon = horizon_;
    found.back().unreadable = unreadable.contains(it->second.gateway_id);
    if (found.back().unreadable) found.back().config.clear();
  }
  return found;
}

absl::StatusOr<int64_t> FakeStore::HeadRevision() {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  return revision_;
}

absl::StatusOr<int64_t> FakeStore::Horizon() {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  return horizon_;
}

absl::StatusOr<int64_t> FakeStore::PurgeTombstones(Duration, int64_t keep) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  int64_t tombstones = 0, purged = 0;
  for (const auto& [revision, row] : rows_) tombstones += row.removed;
  std::erase_if(rows_, [&](const auto& entry) {
    if (!entry.second.removed || tombstones - purged <= keep) return false;
    horizon_ = entry.first;
    ++purged;
    return true;
  });
  return purged;
}

absl::Status FakeStore::PutPlan(const config::v1::Plan& plan, const store::AuditRecord& audit) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  plans_[plan.name()] = plan;
  audits_.push_back(audit);
  return absl::OkStatus();
}

absl::StatusOr<config::v1::Plan> FakeStore::GetPlan(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  const auto found = plans_.find(name);
  if (found == plans_.end()) return absl::NotFoundError("no such plan");
  return found->second;
}

absl::StatusOr<std::vector<config::v1::Plan>> FakeStore::ListPlans() {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  std::vector<config::v1::Plan> plans;
  for (const auto& [name, plan] : plans_) plans.push_back(plan);
  return plans;
}

absl::StatusOr<std::optional<store::TokenRecord>> FakeStore::FindToken(const std::string& hash) {
  const std::lock_guard lock(mutex_);
  ++token_reads;
  if (absl::Status up = Check(); !up.ok()) return up;
  const auto found = tokens_.find(hash);
  if (found == tokens_.end()) return std::optional<store::TokenRecord>();
  return std::optional<store::TokenRecord>(found->second);
}

absl::Status FakeStore::PutToken(const store::TokenRecord& token, const std::string& hash) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  tokens_[hash] = token;
  return absl::OkStatus();
}

absl::StatusOr<int64_t> FakeStore::CountTokens() {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  return static_cast<int64_t>(tokens_.size());
}

absl::Status FakeStore::Audit(const store::AuditRecord& record) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  audits_.push_back(record);
  return absl::OkStatus();
}

absl::Status FakeStore::AddUsage(const store::UsageReport& report) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  auto& last = reports_[report.node];
  if (last.first == report.process && last.second >= report.number) return absl::OkStatus();
  last = {report.process, report.number};
  for (const auto& [id, counts] : report.gateways) {
    store::UsageRow& row = usage_[id];
    row.at = WallTime(std::chrono::seconds(report.minute));
    row.counts.requests += counts.requests;
    row.counts.response_bytes += counts.response_bytes;
  }
  return absl::OkStatus();
}

absl::StatusOr<double> FakeStore::RequestsPerSecond(const std::string&) {
  std::lock_guard lock(mutex_);
  if (absl::Status status = Check(); !status.ok()) return status;
  return requests_per_second;
}

absl::StatusOr<std::vector<store::UsageRow>> FakeStore::GetUsage(const std::string& gateway_id, store::UsageStep,
                                                                 WallTime since, int) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  const auto row = usage_.find(gateway_id);
  if (row == usage_.end() || row->second.at < since) return std::vector<store::UsageRow>();
  return std::vector{row->second};
}

absl::Status FakeStore::PutNode(const store::NodeRecord& node) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  if (node.arrived || nodes_.contains(node.name)) nodes_[node.name] = node;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<store::NodeRecord>> FakeStore::ListNodes() {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  std::vector<store::NodeRecord> nodes;
  for (const auto& [name, node] : nodes_) nodes.push_back(node);
  return nodes;
}

absl::Status FakeStore::RemoveNode(const std::string& name, const store::AuditRecord& audit) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  if (nodes_.erase(name) == 0) return absl::NotFoundError("there is no such node");
  audits_.push_back(audit);
  return absl::OkStatus();
}

}  // namespace sluice::test
