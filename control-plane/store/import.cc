// Many new gateways in one transaction. What a commit of one does, each statement for all of them, and one turn of the
// clock: it is the round trips and the turns that limit how fast gateways are made, not their rows.

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
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
    "with added as (insert into gateway_hosts (host, gateway_id, position)"
    "  select h.host, h.gateway_id, h.position::integer"
    "  from unnest($1::text[], $2::text[], $3::text[]) as h (gateway_id, host, position) order by h.host"
    "  on conflict (host) do nothing returning 1)"
    " select count(*) from added"};
constexpr Statement kImportEntities = {
    "import_entities",
    "insert into entities (gateway_id, kind, id, name, tags, body)"
    " select e.gateway_id, e.kind, e.id, e.name, e.tags::text[], '\"\"'"
    " from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) as e (gateway_id, kind, id, name, tags)"};
constexpr Statement kImportReferences = {
    "import_references",
    "insert into entity_references (gateway_id, from_id, to_id)"
    " select distinct r.gateway_id, r.from_id, r.to_id from unnest($1::text[], $2::text[], $3::text[])"
    " as r (gateway_id, from_id, to_id)"};
// Revisions in the order of the arrays.
constexpr Statement kImportTick = {
    "import_tick",
    "with tick as (update config_clock set revision = revision + cardinality($1::text[])"
    "  returning revision - cardinality($1::text[]) as base),"
    " n as (select tick.base, i.* from tick,"
    "  unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) with ordinality"
    "  as i (id, kind, cell, created, as_version, as_config, place)),"
    " g as (update gateways set revision = n.base + n.place from n where gateways.id = n.id),"
    " v as (insert into versions (gateway_id, version, revision, author, message, config, created, updated, deleted)"
    "  select n.id, 1, n.base + n.place, $7, $8, decode(n.as_version, 'base64'), n.created::integer, 0, 0 from n),"
    " c as (insert into gateway_config (gateway_id, revision, removed, kind, config, cell)"
    "  select n.id, n.base + n.place, false, n.kind::smallint, decode(n.as_config, 'base64'), n.cell from n)"
    " select base from tick"};

// The arrays of one statement, a value of each column a row.
class Columns {
 public:
  explicit Columns(size_t count) : columns_(count) {}
  void Add(std::vector<std::string> row) {
    for (size_t i = 0; i < columns_.size(); ++i) columns_[i].push_back(std::move(row[i]));
  }
  size_t rows() const { return columns_[0].size(); }
  Parameters All() const {
    Parameters parameters;
    for (const auto& column : columns_) parameters.TextArray(column);
    return parameters;
  }

 private:
  std::vector<std::vector<std::string>> columns_;
};

absl::Status ImportGateways(Connection& connection, const std::vector<Write>& writes) {
  Columns gateways(5), hosts(3);
  for (const Write& write : writes) {
    const auto& config = write.config;
    gateways.Add({config.id(), config.name(), absl::StrCat(config.kind()), config.plan().name(), write.cell});
    for (int i = 0; i < config.hosts_size(); ++i) hosts.Add({config.id(), config.hosts(i), absl::StrCat(i + 1)});
  }
  absl::Status status = connection.Run(kImportGateways, gateways.All()).status();
  if (!status.ok()) return status;
  auto added = connection.Run(kImportHosts, hosts.All());
  if (!added.ok()) return added.status();
  if (added->Int(0, 0) == static_cast<int64_t>(hosts.rows())) return absl::OkStatus();
  return absl::AlreadyExistsError("a host belongs to another gateway");
}

absl::Status ImportEntities(Connection& connection, const std::vector<Write>& writes) {
  Columns entities(5), references(3);
  for (const Write& write : writes) {
    const std::string& gateway = write.config.id();
    for (const EntityRow& row : write.upserts) {
      entities.Add({gateway, row.kind, row.id, row.name, Parameters::ArrayLiteral(row.tags)});
      for (const std::string& target : row.references) references.Add({gateway, row.id, target});
    }
  }
  absl::Status status;
  if (entities.rows() > 0) status = connection.Run(kImportEntities, entities.All()).status();
  if (status.ok() && references.rows() > 0) status = connection.Run(kImportReferences, references.All()).status();
  return status;
}

}  // namespace

absl::StatusOr<std::vector<Committed>> PostgresStore::Import(const std::vector<Write>& writes) {
  if (writes.empty()) return std::vector<Committed>();
  Columns configs(6);
  for (const Write& write : writes) {
    config::v1::GatewayConfig config = write.config;
    config.set_version(1);
    const std::string bytes = SerializeStable(config);
    configs.Add({config.id(), absl::StrCat(config.kind()), write.cell, absl::StrCat(write.changes.created),
                 absl::Base64Escape(keys_.Seal(bytes, VersionPlace(config.id(), "1"))),
                 absl::Base64Escape(keys_.Seal(bytes, ConfigPlace(config.id())))});
  }
  auto lease = pool_.Borrow();
  if (!lease.ok()) return lease.status();
  Connection& connection = **lease;
  Transaction transaction(connection);
  absl::Status status = transaction.Begin();
  if (status.ok()) status = ImportGateways(connection, writes);
  if (status.ok()) status = ImportEntities(connection, writes);
  if (status.ok()) status = InsertAudit(connection, writes.front().audit);
  if (!status.ok()) return status;
  Parameters tick = configs.All();
  tick.Text(writes.front().author).Text(writes.front().message);
  const absl::StatusOr<Result> base = TickAndCommit(connection, transaction, kImportTick, tick);
  if (!base.ok()) return base.status();
  std::vector<Committed> committed;
  for (size_t i = 0; i < writes.size(); ++i) {
    committed.push_back({.version = 1, .revision = base->Int(0, 0) + static_cast<int64_t>(i) + 1});
  }
  return committed;
}

}  // namespace sluice::store
