// Many new gateways in one transaction. What a commit of one does, each statement for all of them, and one turn of the
// clock: it is the round trips and the turns that limit how fast gateways are made, not their rows.

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "control-plane/store/postgres_store.h"
#include "control-plane/store/serialize.h"

namespace sluice::store {
namespace {

constexpr Statement kImportGateways = {
    "import_gateways",
    "insert into gateways (id, name, kind, plan, cell, version)"
    " select g.id, g.name, g.kind::smallint, g.plan, g.cell, 1"
    " from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) as g (id, name, kind, plan, cell)"
    " order by g.name"};
constexpr Statement kImportHosts = {
    "import_hosts",
    "insert into gateway_hosts (host, gateway_id, position) select h.host, h.gateway_id, h.position::integer"
    " from unnest($1::text[], $2::text[], $3::text[]) as h (gateway_id, host, position) order by h.host"};
constexpr Statement kImportEntities = {
    "import_entities",
    "insert into gateway_entities (gateway_id, ids, kinds, names, referred)"
    " select e.gateway_id, e.ids::text[], e.kinds::text[], e.names::text[], e.referred::text[]"
    " from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])"
    " as e (gateway_id, ids, kinds, names, referred)"};
// Revisions in the order of the arrays. Each table has its own: what is read twice is copied in between.
constexpr Statement kImportTick = {
    "import_tick",
    "with tick as (update config_clock set revision = revision + cardinality($1::text[])"
    "  returning revision - cardinality($1::text[]) as base),"
    " v as (insert into versions (gateway_id, version, revision, author, message, config, created, updated, deleted)"
    "  select n.id, 1, tick.base + n.place, $7, $8, n.config, n.created::integer, 0, 0 from tick,"
    "  unnest($1::text[], $4::text[], $5::bytea[]) with ordinality as n (id, created, config, place)),"
    " c as (insert into gateway_config (gateway_id, revision, removed, kind, config, cell, good_by, good_at)"
    "  select n.id, tick.base + n.place, false, n.kind::smallint, n.config, n.cell, $9, tick.base + n.place from tick,"
    "  unnest($1::text[], $2::text[], $3::text[], $6::bytea[]) with ordinality as n (id, kind, cell, config, place))"
    " select base from tick"};

// The arrays of one statement, a value of each column a row.
class Columns {
 public:
  Columns(size_t count, size_t rows) : columns_(count) {
    for (auto& column : columns_) column.reserve(rows);
  }
  template <typename... Values>
  void Add(Values&&... row) {
    size_t i = 0;
    (columns_[i++].emplace_back(std::forward<Values>(row)), ...);
  }
  Parameters All() const {
    Parameters parameters;
    for (const auto& column : columns_) parameters.TextArray(column);
    return parameters;
  }

 private:
  std::vector<std::vector<std::string>> columns_;
};

absl::Status ImportGateways(Connection& connection, const std::vector<Write>& writes) {
  Columns gateways(5, writes.size()), hosts(3, 2 * writes.size());
  for (const Write& write : writes) {
    const auto& config = write.config;
    gateways.Add(config.id(), config.name(), absl::StrCat(config.kind()), config.plan().name(), write.cell);
    for (int i = 0; i < config.hosts_size(); ++i) hosts.Add(config.id(), config.hosts(i), absl::StrCat(i + 1));
  }
  absl::Status status = connection.Run(kImportGateways, gateways.All()).status();
  return status.ok() ? connection.Run(kImportHosts, hosts.All()).status() : status;
}

absl::Status ImportEntities(Connection& connection, const std::vector<Write>& writes) {
  Columns entities(5, writes.size());
  for (const Write& write : writes) {
    const EntityLists lists(write);
    entities.Add(write.config.id(), Parameters::ArrayLiteral(lists.ids), Parameters::ArrayLiteral(lists.kinds),
                 Parameters::ArrayLiteral(lists.names), Parameters::ArrayLiteral(lists.referred));
  }
  return connection.Run(kImportEntities, entities.All()).status();
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

// What nodes are sent, and the first version, each sealed for its place.
Parameters ConfigsOf(const std::vector<Write>& writes, const std::vector<std::string>& bytes, const KeyRing& keys,
                     const std::string& rules) {
  Columns configs(4, writes.size());
  std::vector<std::string> as_version, as_config;
  for (size_t i = 0; i < writes.size(); ++i) {
    const Write& write = writes[i];
    const std::string& id = write.config.id();
    configs.Add(id, absl::StrCat(write.config.kind()), write.cell, absl::StrCat(write.changes.created));
    as_version.push_back(keys.Seal(bytes[i], VersionPlace(id, "1")));
    as_config.push_back(keys.Seal(bytes[i], ConfigPlace(id)));
  }
  Parameters parameters = configs.All();
  parameters.BytesArray(as_version).BytesArray(as_config);
  return parameters.Text(writes.front().author).Text(writes.front().message).Text(rules);
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
  const Parameters tick = ConfigsOf(writes, bytes, keys_, rules_);
  auto lease = pool_.Borrow();
  if (!lease.ok()) return lease.status();
  Connection& connection = **lease;
  Transaction transaction(connection);
  absl::Status status = transaction.Begin();
  if (status.ok()) status = ImportGateways(connection, writes);
  if (status.ok()) status = ImportEntities(connection, writes);
  if (status.ok()) status = InsertAudit(connection, writes.front().audit);
  if (!status.ok()) return status;
  const auto before_ring = [&](const Result& ticked) {
    if (told) told(RowsOf(writes, std::move(bytes), ticked.Int(0, 0)));
  };
  const absl::StatusOr<Result> base = TickAndCommit(connection, transaction, kImportTick, tick, before_ring);
  if (!base.ok()) return base.status();
  std::vector<Committed> committed;
  for (size_t i = 0; i < writes.size(); ++i) {
    committed.push_back({.version = 1, .revision = base->Int(0, 0) + static_cast<int64_t>(i) + 1});
  }
  return committed;
}

}  // namespace sluice::store
