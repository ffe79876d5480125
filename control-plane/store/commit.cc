// The two changes that nodes hear of. Each takes the gateway's row first and the clock's row last, so that writers of
// one gateway queue at the front and writers of different gateways meet only for the moment between clock and commit.

#include <set>

#include "absl/strings/str_cat.h"
#include "control-plane/store/postgres_store.h"
#include "control-plane/store/serialize.h"

namespace sluice::store {
namespace {

constexpr Statement kInsertGateway = {
    "insert_gateway",
    "insert into gateways (id, name, kind, plan, version, cell) values ($1, $2, $3::bigint::smallint, $4, 1, $5)"};
constexpr Statement kLockGateway = {"lock_gateway", "select version, kind from gateways where id = $1 for update"};
constexpr Statement kUpdateGateway = {
    "update_gateway",
    "update gateways set name = $2, plan = $3, version = $4::bigint, updated_at = now() where id = $1"};
constexpr Statement kDropHosts = {"drop_hosts",
                                  "delete from gateway_hosts where gateway_id = $1 and host <> all ($2::text[])"};
constexpr Statement kPutHosts = {
    "put_hosts",
    "insert into gateway_hosts (host, gateway_id, position)"
    " select h.host, $1::text, h.position from unnest($2::text[]) with ordinality as h (host, position) order by h.host"
    " on conflict (host) do update set position = excluded.position"
    " where gateway_hosts.gateway_id = excluded.gateway_id"};
constexpr Statement kCountHosts = {"count_hosts", "select count(*) from gateway_hosts where gateway_id = $1"};
constexpr Statement kPutEntities = {
    "put_entities",
    "insert into gateway_entities (gateway_id, ids, kinds, names, referred)"
    " values ($1, $2::text[], $3::text[], $4::text[], $5::text[])"
    " on conflict (gateway_id) do update set ids = excluded.ids, kinds = excluded.kinds, names = excluded.names,"
    " referred = excluded.referred"};
constexpr Statement kPutVersion = {
    "put_version",
    "insert into versions (gateway_id, version, author, message, config, created, updated, deleted)"
    " values ($1, $2::bigint, $3, $4, $5, $6::bigint, $7::bigint, $8::bigint)"};
constexpr Statement kTrimVersions = {
    "trim_versions",
    "delete from versions v using"
    " (select version, row_number() over w as age, sum(length(config)) over w as bytes from versions"
    "  where gateway_id = $1 window w as (order by version desc)) as kept"
    " where v.gateway_id = $1 and v.version = kept.version"
    " and (kept.age > $2::bigint or (kept.age > $3::bigint and kept.bytes > $4::bigint))"};
constexpr Statement kTick = {
    "tick",
    "with tick as (update config_clock set revision = revision + 1 returning revision),"
    " g as (update gateways set revision = tick.revision from tick where id = $1),"
    " v as (update versions set revision = tick.revision from tick where gateway_id = $1 and version = $2::bigint),"
    " c as (insert into gateway_config"
    "       (gateway_id, revision, removed, kind, config, cell, other_cell, move, good_by, good_at)"
    "       select $1, tick.revision, false, $3::bigint::smallint, $4, gateways.cell, other_cell, move, $7,"
    "       tick.revision"
    "       from tick, gateways where id = $1"
    "       on conflict (gateway_id) do update set revision = excluded.revision, removed = false,"
    "       kind = excluded.kind, config = excluded.config, cell = excluded.cell,"
    "       other_cell = excluded.other_cell, move = excluded.move, removed_at = null,"
    "       good_by = excluded.good_by, good_at = excluded.good_at),"
    " r as (update kept_requests set revision = tick.revision from tick where caller = $5 and request_id = $6)"
    " select revision from tick"};
constexpr Statement kDeleteGateway = {"delete_gateway", "delete from gateways where id = $1"};
constexpr Statement kTickRemoval = {
    "tick_removal",
    "with tick as (update config_clock set revision = revision + 1 returning revision),"
    " c as (insert into gateway_config (gateway_id, revision, removed, kind, removed_at)"
    "       select $1, tick.revision, true, $2::bigint::smallint, now() from tick"
    "       on conflict (gateway_id) do update"
    "       set revision = excluded.revision, removed = true, config = null, removed_at = now()),"
    " r as (update kept_requests set revision = tick.revision from tick where caller = $3 and request_id = $4)"
    " select revision from tick"};

constexpr char kRing[] = "notify sluice_config";

Parameters For(const std::string& gateway) {
  Parameters parameters;
  parameters.Text(gateway);
  return parameters;
}

absl::Status Overtaken(const std::string& gateway, int64_t version, int64_t expected) {
  return absl::AbortedError(
      absl::StrCat("gateway ", gateway, " is at version ", version, ", not ", expected, " any more"));
}

absl::Status PutGateway(Connection& connection, const Write& write) {
  const auto& config = write.config;
  if (write.expected_version == 0) {
    Parameters parameters = For(config.id());
    parameters.Text(config.name()).Int(config.kind()).Text(config.plan().name()).Text(write.cell);
    return connection.Run(kInsertGateway, parameters).status();
  }
  auto row = connection.Run(kLockGateway, For(config.id()));
  if (!row.ok()) return row.status();
  if (row->rows() == 0) return absl::NotFoundError(absl::StrCat("gateway ", config.name(), " is gone"));
  if (row->Int(0, 0) != write.expected_version) {
    return Overtaken(config.name(), row->Int(0, 0), write.expected_version);
  }
  if (row->Int(0, 1) != config.kind()) return absl::FailedPreconditionError("the kind of a gateway never changes");
  return connection
      .Run(kUpdateGateway,
           For(config.id()).Text(config.name()).Text(config.plan().name()).Int(write.expected_version + 1))
      .status();
}

absl::Status PutHosts(Connection& connection, const config::v1::GatewayConfig& config) {
  const std::vector<std::string> hosts(config.hosts().begin(), config.hosts().end());
  absl::Status status = connection.Run(kDropHosts, For(config.id()).TextArray(hosts)).status();
  if (status.ok()) status = connection.Run(kPutHosts, For(config.id()).TextArray(hosts)).status();
  if (!status.ok()) return status;
  auto count = connection.Run(kCountHosts, For(config.id()));
  if (!count.ok()) return count.status();
  if (count->Int(0, 0) == static_cast<int64_t>(hosts.size())) return absl::OkStatus();
  return absl::AlreadyExistsError("a host belongs to another gateway");
}

absl::Status PutEntities(Connection& connection, const Write& write) {
  const EntityLists lists(write);
  Parameters parameters = For(write.config.id());
  parameters.TextArray(lists.ids).TextArray(lists.kinds).TextArray(lists.names).TextArray(lists.referred);
  return connection.Run(kPutEntities, parameters).status();
}

absl::Status PutVersion(Connection& connection, const Write& write, int64_t version, const std::string& bytes) {
  const std::string& id = write.config.id();
  Parameters parameters = For(id);
  parameters.Int(version).Text(write.author).Text(write.message).Bytes(bytes);
  parameters.Int(write.changes.created).Int(write.changes.updated).Int(write.changes.deleted);
  absl::Status status = connection.Run(kPutVersion, parameters).status();
  if (!status.ok() || version <= kMinVersionsKept) return status;
  return connection.Run(kTrimVersions, For(id).Int(kMaxVersionsKept).Int(kMinVersionsKept).Int(kMaxVersionBytesKept))
      .status();
}

}  // namespace

EntityLists::EntityLists(const Write& write) {
  std::set<std::string_view> targets;
  for (const EntityRow& row : write.entities) {
    ids.push_back(row.id);
    kinds.push_back(row.kind);
    names.push_back(row.name);
    targets.insert(row.references.begin(), row.references.end());
  }
  referred.assign(targets.begin(), targets.end());
}

absl::StatusOr<Result> TickAndCommit(Connection& connection, Transaction& transaction, const Statement& tick,
                                     const Parameters& parameters) {
  auto ticked = connection.Run(tick, parameters);
  if (!ticked.ok()) return ticked.status();
  absl::Status status = transaction.Commit();
  if (!status.ok()) return status;
  Ring(connection);
  return ticked;
}

void Ring(Connection& connection) { connection.Execute(kRing).IgnoreError(); }

absl::StatusOr<Committed> PostgresStore::Commit(const Write& write) {
  config::v1::GatewayConfig config = write.config;
  const int64_t version = write.expected_version + 1;
  config.set_version(version);
  const std::string bytes = SerializeStable(config);
  const std::string as_version = keys_.Seal(bytes, VersionPlace(config.id(), std::to_string(version)));
  const std::string as_config = keys_.Seal(bytes, ConfigPlace(config.id()));

  KeptRequest request = write.request;
  request.gateway_id = config.id();
  request.version = version;

  auto lease = pool_.Borrow();
  if (!lease.ok()) return lease.status();
  Connection& connection = **lease;
  Transaction transaction(connection);
  absl::Status status = transaction.Begin();
  if (!status.ok()) return status;
  auto taken = TakeRequest(connection, keys_, request);
  if (!taken.ok()) return taken.status();
  if (!*taken) return Committed{.repeated = true};
  status = PutGateway(connection, write);
  if (status.ok()) status = PutHosts(connection, config);
  if (status.ok()) status = PutEntities(connection, write);
  if (status.ok()) status = PutVersion(connection, write, version, as_version);
  if (status.ok()) status = InsertAudit(connection, write.audit);
  if (!status.ok()) return status;
  Parameters tick = For(config.id());
  tick.Int(version).Int(config.kind()).Bytes(as_config).Text(request.caller).Text(request.request_id);
  tick.Text(rules_);
  auto revision = TickAndCommit(connection, transaction, kTick, tick);
  if (!revision.ok()) return revision.status();
  return Committed{version, revision->Int(0, 0)};
}

absl::StatusOr<Committed> PostgresStore::DeleteGateway(const Removal& removal) {
  const std::string& id = removal.gateway_id;
  KeptRequest request = removal.request;
  request.gateway_id = id;
  auto lease = pool_.Borrow();
  if (!lease.ok()) return lease.status();
  Connection& connection = **lease;
  Transaction transaction(connection);
  absl::Status status = transaction.Begin();
  if (!status.ok()) return status;
  auto taken = TakeRequest(connection, keys_, request);
  if (!taken.ok()) return taken.status();
  if (!*taken) return Committed{.repeated = true};
  auto row = connection.Run(kLockGateway, For(id));
  if (!row.ok()) return row.status();
  if (row->rows() == 0) return absl::NotFoundError("there is no such gateway");
  const int64_t version = row->Int(0, 0);
  if (removal.expected_version != 0 && version != removal.expected_version) {
    return Overtaken(id, version, removal.expected_version);
  }
  status = connection.Run(kDeleteGateway, For(id)).status();
  if (status.ok()) status = InsertAudit(connection, removal.audit);
  if (!status.ok()) return status;
  Parameters tick = For(id);
  tick.Int(row->Int(0, 1)).Text(request.caller).Text(request.request_id);
  auto revision = TickAndCommit(connection, transaction, kTickRemoval, tick);
  if (!revision.ok()) return revision.status();
  return Committed{version, revision->Int(0, 0)};
}

}  // namespace sluice::store
