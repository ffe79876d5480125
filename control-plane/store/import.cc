// Many new gateways in one transaction: what a commit of one does, each table's rows in one COPY, and one turn of the
// clock, after which revisions are known. Round trips and turns would limit how fast gateways are made.

#include <map>

#include "common/base/check.h"
#include "control-plane/store/postgres_store.h"
#include "control-plane/store/serialize.h"

namespace sluice::store {
namespace {

constexpr char kCopyGateways[] = "copy gateways (id, name, kind, plan, cell, version) from stdin (format binary)";
constexpr char kCopyHosts[] = "copy gateway_hosts (host, gateway_id, position) from stdin (format binary)";
constexpr char kCopyEntities[] =
    "copy gateway_entities (gateway_id, ids, kinds, names, referred) from stdin (format binary)";
constexpr char kCopyVersions[] =
    "copy versions (gateway_id, version, revision, author, message, config, created, updated, deleted)"
    " from stdin (format binary)";
constexpr char kCopyConfigs[] =
    "copy gateway_config (gateway_id, revision, removed, kind, config, cell, good_by, good_at)"
    " from stdin (format binary)";
constexpr Statement kImportTick = {
    "import_tick", "update config_clock set revision = revision + $1::bigint returning revision - $1::bigint"};

// Names and hosts in their order, so that imports of the same ones wait for each other and do not deadlock.
absl::Status ImportGateways(Connection& connection, const std::vector<Write>& writes) {
  std::multimap<std::string_view, const Write*> by_name;
  std::multimap<std::string_view, std::pair<const Write*, int>> by_host;
  for (const Write& write : writes) {
    by_name.emplace(write.config.name(), &write);
    int position = 0;
    for (const std::string& host : write.config.hosts()) by_host.emplace(host, std::pair(&write, ++position));
  }
  CopyRows gateways(6), hosts(3);
  for (const auto& [name, write] : by_name) {
    const auto& config = write->config;
    gateways.Row().Text(config.id()).Text(name).Short(static_cast<int16_t>(config.kind()));
    gateways.Text(config.plan().name()).Text(write->cell).Long(1);
  }
  for (const auto& [host, at] : by_host) hosts.Row().Text(host).Text(at.first->config.id()).Int(at.second);
  absl::Status status = connection.Copy(kCopyGateways, std::move(gateways));
  return status.ok() ? connection.Copy(kCopyHosts, std::move(hosts)) : status;
}

absl::Status ImportEntities(Connection& connection, const std::vector<Write>& writes) {
  CopyRows entities(5);
  for (const Write& write : writes) {
    const EntityLists lists(write);
    entities.Row().Text(write.config.id()).TextArray(lists.ids).TextArray(lists.kinds);
    entities.TextArray(lists.names).TextArray(lists.referred);
  }
  return connection.Copy(kCopyEntities, std::move(entities));
}

std::vector<std::string> BytesOf(const std::vector<Write>& writes) {
  std::vector<std::string> bytes;
  bytes.reserve(writes.size());
  for (const Write& write : writes) {
    SLUICE_CHECK(write.config.version() == 1);
    bytes.push_back(SerializeStable(write.config));
  }
  return bytes;
}

// A configuration sealed for the two places where it is kept.
struct Sealed {
  std::string as_version, as_config;
};

std::vector<Sealed> Seal(const std::vector<Write>& writes, const std::vector<std::string>& bytes, const KeyRing& keys) {
  std::vector<Sealed> sealed;
  sealed.reserve(writes.size());
  for (size_t i = 0; i < writes.size(); ++i) {
    const std::string& id = writes[i].config.id();
    sealed.push_back({keys.Seal(bytes[i], VersionPlace(id, "1")), keys.Seal(bytes[i], ConfigPlace(id))});
  }
  return sealed;
}

// The first versions, and what nodes are sent, numbered from `revision` + 1 on.
absl::Status ImportConfigs(Connection& connection, const std::vector<Write>& writes, const std::vector<Sealed>& sealed,
                           const std::string& rules, int64_t revision) {
  const std::string &author = writes.front().author, &message = writes.front().message;
  CopyRows versions(9), configs(8);
  for (size_t i = 0; i < writes.size(); ++i) {
    const auto& config = writes[i].config;
    ++revision;
    versions.Row().Text(config.id()).Long(1).Long(revision).Text(author).Text(message).Text(sealed[i].as_version);
    versions.Int(static_cast<int32_t>(writes[i].changes.created)).Int(0).Int(0);
    configs.Row().Text(config.id()).Long(revision).Bool(false).Short(static_cast<int16_t>(config.kind()));
    configs.Text(sealed[i].as_config).Text(writes[i].cell).Text(rules).Long(revision);
  }
  absl::Status status = connection.Copy(kCopyVersions, std::move(versions));
  return status.ok() ? connection.Copy(kCopyConfigs, std::move(configs)) : status;
}

Store::Rows RowsOf(const std::vector<Write>& writes, std::vector<std::string> bytes, int64_t revision) {
  Store::Rows rows;
  rows.reserve(writes.size());
  for (size_t i = 0; i < writes.size(); ++i) {
    const auto& config = writes[i].config;
    rows.push_back({++revision, config.id(), false, config.kind(), std::move(bytes[i])});
    rows.back().placement.cell = writes[i].cell;
    rows.back().good = true;
  }
  return rows;
}

}  // namespace

absl::StatusOr<std::vector<Committed>> PostgresStore::Import(const std::vector<Write>& writes,
                                                             const std::function<void(Rows)>& told) {
  if (writes.empty()) return std::vector<Committed>();
  std::vector<std::string> bytes = BytesOf(writes);
  const std::vector<Sealed> sealed = Seal(writes, bytes, keys_);
  auto lease = pool_.Borrow();
  if (!lease.ok()) return lease.status();
  Connection& connection = **lease;
  Transaction transaction(connection);
  absl::Status status = transaction.Begin();
  if (status.ok()) status = ImportGateways(connection, writes);
  if (status.ok()) status = ImportEntities(connection, writes);
  if (status.ok()) status = InsertAudit(connection, writes.front().audit);
  if (!status.ok()) return status;
  const auto ticked = connection.Run(kImportTick, Parameters().Int(static_cast<int64_t>(writes.size())));
  if (!ticked.ok()) return ticked.status();
  const int64_t base = ticked->Int(0, 0);
  status = ImportConfigs(connection, writes, sealed, rules_, base);
  if (status.ok()) status = transaction.Commit();
  if (!status.ok()) return status;
  if (told) told(RowsOf(writes, std::move(bytes), base));
  Ring(connection);
  std::vector<Committed> committed;
  for (size_t i = 0; i < writes.size(); ++i) {
    committed.push_back({.version = 1, .revision = base + static_cast<int64_t>(i) + 1});
  }
  return committed;
}

}  // namespace sluice::store
