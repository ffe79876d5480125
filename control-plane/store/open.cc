#include <algorithm>
#include <chrono>
#include <thread>

#include "common/observe/log.h"
#include "control-plane/store/address.h"
#include "control-plane/store/migrations.h"
#include "control-plane/store/postgres_store.h"

namespace sluice::store {
namespace {

constexpr auto kRetryInterval = std::chrono::milliseconds(500);
constexpr auto kLogInterval = std::chrono::seconds(5);

absl::Status ConnectAndMigrate(const Options& options) {
  Connection connection(options);
  absl::Status status = connection.Reconnect();
  if (status.ok()) status = Migrate(connection, EmbeddedMigrations());
  return status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const Options& options, Duration patience) {
  if (absl::Status readable = CheckConnectionString(options.database); !readable.ok()) return readable;
  const MonotonicTime start = std::chrono::steady_clock::now();
  MonotonicTime next_log = start;
  while (true) {
    absl::Status status = ConnectAndMigrate(options);
    if (status.ok()) return std::make_unique<PostgresStore>(options);
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
