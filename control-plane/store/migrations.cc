#include "control-plane/store/migrations.h"

#include <openssl/sha.h>

#include <map>
#include <string>

#include "common/observe/log.h"

namespace sluice::store {
namespace {

constexpr Statement kApplied = {"migrations_applied", "select number, checksum from schema_migrations"};
constexpr Statement kRecord = {"migrations_record",
                               "insert into schema_migrations (number, name, checksum) values ($1::bigint, $2, $3)"};
// Any constant does, as long as it stays the same.
constexpr char kLock[] = "set statement_timeout = 0; select pg_advisory_lock(5781244)";
constexpr char kUnlock[] = "select pg_advisory_unlock(5781244)";
constexpr char kTable[] =
    "create table if not exists schema_migrations ("
    "number integer primary key, name text not null, checksum bytea not null,"
    " applied_at timestamptz not null default now())";

std::string Checksum(std::string_view sql) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(sql.data()), sql.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

absl::Status Apply(Connection& connection, const Migration& migration) {
  Transaction transaction(connection);
  absl::Status status = transaction.Begin();
  if (status.ok()) status = connection.Execute(std::string(migration.sql).c_str());
  if (status.ok()) {
    Parameters parameters;
    parameters.Int(migration.number).Text(migration.name).Bytes(Checksum(migration.sql));
    status = connection.Run(kRecord, parameters).status();
  }
  if (status.ok()) status = transaction.Commit();
  if (!status.ok()) {
    return absl::Status(status.code(),
                        "migration " + std::string(migration.name) + ": " + std::string(status.message()));
  }
  log::Info("schema migrated", {{"migration", migration.name}});
  return status;
}

absl::Status ApplyPending(Connection& connection, const std::vector<Migration>& migrations) {
  absl::Status status = connection.Execute(kTable);
  if (!status.ok()) return status;
  auto rows = connection.Run(kApplied);
  if (!rows.ok()) return rows.status();
  std::map<int64_t, std::string> applied;
  for (int row = 0; row < rows->rows(); ++row) applied[rows->Int(row, 0)] = rows->Text(row, 1);
  for (const Migration& migration : migrations) {
    const auto found = applied.find(migration.number);
    if (found == applied.end()) {
      status = Apply(connection, migration);
      if (!status.ok()) return status;
    } else if (found->second != Checksum(migration.sql)) {
      return absl::FailedPreconditionError(
          "migration " + std::string(migration.name) + " was applied to this database in another form");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Migrate(Connection& connection, const std::vector<Migration>& migrations) {
  connection.SetPatient(true);  // for another replica's migrations, and for our own
  absl::Status status = connection.Execute(kLock);
  if (!status.ok()) return status;
  status = ApplyPending(connection, migrations);
  const absl::Status unlocked = connection.Execute(kUnlock);
  connection.SetPatient(false);
  return status.ok() ? unlocked : status;
}

}  // namespace sluice::store
