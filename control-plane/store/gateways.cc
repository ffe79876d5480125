// Gateways and their versions, read.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "control-plane/store/postgres_store.h"

namespace sluice::store {
namespace {

#define SLUICE_GATEWAY_COLUMNS                                                                                  \
  "id, name, kind, plan, version,"                                                                              \
  " coalesce((select c.revision from gateway_config c where c.gateway_id = id), 0), created_at, updated_at,"    \
  " array_to_string(array(select host from gateway_hosts where gateway_id = id order by position, host), ' ')," \
  " cell, other_cell, move"

#define SLUICE_COUNTS "coalesce(created, -1), coalesce(updated, -1), coalesce(deleted, -1)"

constexpr Statement kGetGateway = {
    "get_gateway",
    "select " SLUICE_GATEWAY_COLUMNS " from gateways where id = $1 or name = $1 order by (id = $1) desc limit 1"};
constexpr Statement kListGateways = {
    "list_gateways",
    "select " SLUICE_GATEWAY_COLUMNS " from gateways where name > $1 order by name limit $2::bigint"};
constexpr Statement kGatewaysOnPlan = {"gateways_on_plan", "select id from gateways where plan = $1 order by name"};
constexpr Statement kLatestVersion = {
    "latest_version",
    "select version, revision, author, message, created_at, length(config), " SLUICE_COUNTS ", config from versions"
    " where gateway_id = $1 order by version desc limit 1"};
constexpr Statement kGetVersion = {
    "get_version",
    "select version, revision, author, message, created_at, length(config), " SLUICE_COUNTS ", config from versions"
    " where gateway_id = $1 and version = $2::bigint"};
constexpr Statement kListVersions = {
    "list_versions",
    "select version, revision, author, message, created_at, length(config), " SLUICE_COUNTS " from versions"
    " where gateway_id = $1 and ($2::bigint = 0 or version < $2::bigint) order by version desc limit $3::bigint"};

GatewayRecord ReadGateway(const Result& rows, int row) {
  GatewayRecord gateway;
  gateway.id = rows.Text(row, 0);
  gateway.name = rows.Text(row, 1);
  gateway.kind = static_cast<config::v1::GatewayKind>(rows.Int(row, 2));
  gateway.plan = rows.Text(row, 3);
  gateway.version = rows.Int(row, 4);
  gateway.revision = rows.Int(row, 5);
  gateway.created = rows.Time(row, 6);
  gateway.updated = rows.Time(row, 7);
  gateway.hosts = absl::StrSplit(rows.Text(row, 8), ' ', absl::SkipEmpty());
  gateway.placement = {rows.Text(row, 9), rows.Text(row, 10), static_cast<Move>(rows.Int(row, 11))};
  return gateway;
}

VersionRecord ReadVersion(const Result& rows, int row) {
  VersionRecord version;
  version.version = rows.Int(row, 0);
  version.revision = rows.Int(row, 1);
  version.author = rows.Text(row, 2);
  version.message = rows.Text(row, 3);
  version.created = rows.Time(row, 4);
  version.config_bytes = static_cast<uint32_t>(rows.Int(row, 5));
  const auto count = [&](int column) { return static_cast<uint32_t>(rows.Int(row, column)); };
  if (rows.Int(row, 6) >= 0) version.changes = ChangeCounts{count(6), count(7), count(8)};
  return version;
}

}  // namespace

absl::StatusOr<GatewayRecord> PostgresStore::GetGateway(const std::string& id_or_name) {
  auto rows = Run(kGetGateway, Parameters().Text(id_or_name));
  if (!rows.ok()) return rows.status();
  if (rows->rows() == 0) return absl::NotFoundError("there is no such gateway");
  return ReadGateway(*rows, 0);
}

absl::StatusOr<std::vector<GatewayRecord>> PostgresStore::ListGateways(const std::string& after_name, int limit) {
  auto rows = Run(kListGateways, Parameters().Text(after_name).Int(limit));
  if (!rows.ok()) return rows.status();
  std::vector<GatewayRecord> gateways;
  for (int row = 0; row < rows->rows(); ++row) gateways.push_back(ReadGateway(*rows, row));
  return gateways;
}

absl::StatusOr<std::vector<std::string>> PostgresStore::GatewaysOnPlan(const std::string& plan) {
  auto rows = Run(kGatewaysOnPlan, Parameters().Text(plan));
  if (!rows.ok()) return rows.status();
  std::vector<std::string> ids;
  for (int row = 0; row < rows->rows(); ++row) ids.push_back(rows->Text(row, 0));
  return ids;
}

absl::StatusOr<VersionRecord> PostgresStore::GetVersion(const std::string& gateway_id, int64_t version) {
  auto rows = version == 0 ? Run(kLatestVersion, Parameters().Text(gateway_id))
                           : Run(kGetVersion, Parameters().Text(gateway_id).Int(version));
  if (!rows.ok()) return rows.status();
  if (rows->rows() == 0) return absl::NotFoundError("there is no such version");
  VersionRecord record = ReadVersion(*rows, 0);
  auto config = keys_.Open(rows->Text(0, 9), VersionPlace(gateway_id, std::to_string(record.version)));
  if (!config.ok()) return config.status();
  record.config = *std::move(config);
  return record;
}

absl::StatusOr<std::vector<VersionRecord>> PostgresStore::ListVersions(const std::string& gateway_id, int64_t before,
                                                                       int limit) {
  auto rows = Run(kListVersions, Parameters().Text(gateway_id).Int(before).Int(limit));
  if (!rows.ok()) return rows.status();
  std::vector<VersionRecord> versions;
  for (int row = 0; row < rows->rows(); ++row) versions.push_back(ReadVersion(*rows, row));
  return versions;
}

}  // namespace sluice::store
