// The revision line, read.

#include "control-plane/store/postgres_store.h"

namespace sluice::store {
namespace {

// What was made with the database, and what a restore changes by itself: the cluster, its timeline, the database.
constexpr Statement kEpoch = {
    "epoch",
    "select i.epoch || '-' || to_hex(hashint8extended(s.system_identifier,"
    " c.timeline_id::bigint * 4294967296 + d.oid::bigint))"
    " from database_identity i, pg_control_system() s, pg_control_checkpoint() c, pg_database d"
    " where d.datname = current_database()"};
constexpr Statement kConfigsAfter = {
    "configs_after",
    "select revision, gateway_id, removed, kind, coalesce(config, '') from gateway_config"
    " where revision > $1::bigint order by revision limit $2::bigint"};
constexpr Statement kHead = {"head", "select revision from config_clock"};

}  // namespace

absl::StatusOr<std::string> PostgresStore::Epoch() {
  auto rows = Run(kEpoch);
  if (!rows.ok()) return rows.status();
  if (rows->rows() != 1) return absl::DataLossError("the database has no identity");
  return rows->Text(0, 0);
}

absl::StatusOr<std::vector<ConfigRow>> PostgresStore::ConfigsAfter(int64_t after, int limit) {
  auto rows = Run(kConfigsAfter, Parameters().Int(after).Int(limit));
  if (!rows.ok()) return rows.status();
  std::vector<ConfigRow> configs;
  for (int row = 0; row < rows->rows(); ++row) {
    auto config = keys_.Open(rows->Text(row, 4), ConfigPlace(rows->Text(row, 1)));
    if (!config.ok()) return config.status();
    configs.push_back({rows->Int(row, 0), rows->Text(row, 1), rows->Bool(row, 2),
                       static_cast<config::v1::GatewayKind>(rows->Int(row, 3)), *std::move(config)});
  }
  return configs;
}

absl::StatusOr<int64_t> PostgresStore::HeadRevision() {
  auto rows = Run(kHead);
  if (!rows.ok()) return rows.status();
  if (rows->rows() != 1) return absl::DataLossError("the database has no clock");
  return rows->Int(0, 0);
}

}  // namespace sluice::store
