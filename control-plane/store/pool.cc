#include "control-plane/store/pool.h"

#include <algorithm>

namespace sluice::store {

Pool::Pool(const Options& options) {
  const int count = std::clamp(options.connections, 1, kMaxConnections);
  for (int i = 0; i < count; ++i) idle_.push_back(std::make_unique<Connection>(options));
}

absl::StatusOr<Pool::Lease> Pool::Borrow() {
  std::unique_ptr<Connection> connection;
  {
    std::unique_lock lock(mutex_);
    if (!returned_.wait_for(lock, kMaxWait, [&] { return !idle_.empty(); })) {
      return absl::UnavailableError("every database connection is busy");
    }
    connection = std::move(idle_.back());  // the warmest
    idle_.pop_back();
  }
  Lease lease(*this, std::move(connection));
  if (!lease->IsUsable()) {
    absl::Status status = lease->Reconnect();
    if (!status.ok()) return status;
  }
  return lease;
}

void Pool::Return(std::unique_ptr<Connection> connection) {
  {
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

}  // namespace sluice::store
