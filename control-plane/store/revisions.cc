// The revision line, read.

#include "common/observe/log.h"
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
    "select revision, gateway_id, removed, kind, coalesce(config, ''), (select horizon from config_clock), cell,"
    " other_cell, move, coalesce(good_by = $3 and good_at = revision, false)"
    " from gateway_config where revision > $1::bigint order by revision limit $2::bigint"};
constexpr Statement kHead = {"head", "select revision from config_clock"};
constexpr Statement kHorizon = {"horizon", "select horizon from config_clock"};
constexpr Statement kExpired = {
    "expired_tombstones",
    "select coalesce(max(revision), 0) from gateway_config where removed"
    " and (removed_at < now() - $1::bigint * interval '1 millisecond' or revision <="
    "  (select revision from gateway_config where removed order by revision desc offset $2::bigint limit 1))"};
constexpr Statement kPurge = {
    "purge_tombstones", "delete from gateway_config where removed and revision <= $1::bigint returning 1::bigint"};
// Last, as in every transaction that takes the clock's row.
constexpr Statement kMoveHorizon = {"move_horizon",
                                    "update config_clock set horizon = greatest(horizon, $1::bigint)"};

}  // namespace

absl::StatusOr<std::string> PostgresStore::Epoch() {
  auto rows = Run(kEpoch);
  if (!rows.ok()) return rows.status();
  if (rows->rows() != 1) return absl::DataLossError("the database has no identity");
  return rows->Text(0, 0);
}

absl::StatusOr<std::vector<ConfigRow>> PostgresStore::ConfigsAfter(int64_t after, int limit) {
  auto rows = Run(kConfigsAfter, Parameters().Int(after).Int(limit).Text(rules_));
  if (!rows.ok()) return rows.status();
  std::vector<ConfigRow> configs;
  for (int row = 0; row < rows->rows(); ++row) {
    auto config = keys_.Open(rows->Text(row, 4), ConfigPlace(rows->Text(row, 1)));
    if (!config.ok()) {
      log::Error("a gateway's configuration cannot be opened; nodes keep the last one that they have",
                 {{"gateway", rows->Text(row, 1)}, {"error", std::string(config.status().message())}});
    }
    configs.push_back({rows->Int(row, 0), rows->Text(row, 1), rows->Bool(row, 2),
                       static_cast<config::v1::GatewayKind>(rows->Int(row, 3)), config.ok() ? *config : "",
                       !config.ok(), rows->Int(row, 5),
                       {rows->Text(row, 6), rows->Text(row, 7), static_cast<Move>(rows->Int(row, 8))},
                       rows->Bool(row, 9)});
  }
  return configs;
}

absl::StatusOr<int64_t> PostgresStore::HeadRevision() {
  auto rows = Run(kHead);
  if (!rows.ok()) return rows.status();
  if (rows->rows() != 1) return absl::DataLossError("the database has no clock");
  return rows->Int(0, 0);
}

absl::StatusOr<int64_t> PostgresStore::Horizon() {
  auto rows = Run(kHorizon);
  if (!rows.ok()) return rows.status();
  if (rows->rows() != 1) return absl::DataLossError("the database has no clock");
  return rows->Int(0, 0);
}

absl::StatusOr<int64_t> PostgresStore::PurgeTombstones(Duration age, int64_t keep) {
  auto lease = pool_.Borrow();
  if (!lease.ok()) return lease.status();
  Connection& connection = **lease;
  const int64_t milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(age).count();
  Transaction transaction(connection);
  if (absl::Status status = transaction.Begin(); !status.ok()) return status;
  auto expired = connection.Run(kExpired, Parameters().Int(milliseconds).Int(keep));
  if (!expired.ok()) return expired.status();
  const int64_t horizon = expired->Int(0, 0);
  if (horizon == 0) return 0;
  auto purged = connection.Run(kPurge, Parameters().Int(horizon));
  if (!purged.ok()) return purged.status();
  absl::Status status = connection.Run(kMoveHorizon, Parameters().Int(horizon)).status();
  if (status.ok()) status = transaction.Commit();
  if (!status.ok()) return status;
  return purged->rows();
}

}  // namespace sluice::store
