#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/observe/log.h"
#include "control-plane/store/address.h"
#include "control-plane/store/migrations.h"
#include "control-plane/store/postgres_store.h"

namespace sluice::store {
namespace {

constexpr auto kRetryInterval = std::chrono::milliseconds(500);
constexpr auto kLogInterval = std::chrono::seconds(5);

constexpr char kLockKeys[] = "lock table secret_keys in share row exclusive mode";  // replicas that start at once
constexpr Statement kListKeys = {"list_secret_keys", "select key_id from secret_keys order by created_at, key_id"};
constexpr Statement kAddKey = {"add_secret_key",
                               "insert into secret_keys (key_id) values ($1) on conflict (key_id) do nothing"};

// The keys that are given, once they are known to open whatever is in the database.
absl::StatusOr<KeyRing> AdmitKeys(Connection& connection, const KeySource& source) {
  Transaction transaction(connection);
  absl::Status status = transaction.Begin();
  if (status.ok()) status = connection.Execute(kLockKeys);
  if (!status.ok()) return status;
  auto used = connection.Run(kListKeys);
  if (!used.ok()) return used.status();
  auto keys = source(used->rows() == 0);
  if (!keys.ok()) return keys;
  for (int row = 0; row < used->rows(); ++row) {
    if (keys->Has(used->Text(row, 0))) continue;
    return absl::FailedPreconditionError(absl::StrCat("the database is sealed with secret key ", used->Text(row, 0),
                                                      ", which was not given (", keys->current(),
                                                      " was): give the secret key file of this database"));
  }
  Parameters parameters;
  parameters.Text(keys->current());
  status = connection.Run(kAddKey, parameters).status();
  if (status.ok()) status = transaction.Commit();
  if (!status.ok()) return status;
  return keys;
}

absl::StatusOr<KeyRing> Prepare(const Options& options) {
  Connection connection(options);
  absl::Status status = connection.Reconnect();
  if (status.ok()) status = Migrate(connection, EmbeddedMigrations());
  if (!status.ok()) return status;
  return AdmitKeys(connection, options.keys);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const Options& options, Duration patience) {
  if (absl::Status readable = CheckConnectionString(options.database); !readable.ok()) return readable;
  const MonotonicTime start = std::chrono::steady_clock::now();
  MonotonicTime next_log = start;
  while (true) {
    auto keys = Prepare(options);
    if (keys.ok()) return std::make_unique<PostgresStore>(options, *std::move(keys));
    const absl::Status& status = keys.status();
    const MonotonicTime now = std::chrono::steady_clock::now();
    if (!absl::IsUnavailable(status) || now - start >= patience) return status;
    if (now >= next_log) {
      log::Warning("waiting for the database", {{"reason", std::string(status.message())}});
      next_log = now + kLogInterval;
    }
    std::this_thread::sleep_for(std::min<Duration>(kRetryInterval, patience - (now - start)));
  }
}

absl::StatusOr<Result> PostgresStore::Run(const Statement& statement, const Parameters& parameters) {
  auto connection = pool_.Borrow();
  if (!connection.ok()) return connection.status();
  return (*connection)->Run(statement, parameters);
}

}  // namespace sluice::store
