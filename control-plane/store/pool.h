#pragma once

// The connections of the store, lent one by one. A borrower waits at most kMaxWait for its turn; a connection that
// broke is made anew when it is lent next. Callable from every thread.

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/statusor.h"
#include "control-plane/store/connection.h"

namespace sluice::store {

class Pool {
 public:
  static constexpr auto kMaxWait = std::chrono::seconds(5);

  explicit Pool(const Options& options);  // connects when first used

  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Connection> connection) : pool_(&pool), connection_(std::move(connection)) {}
    Lease(Lease&&) = default;
    ~Lease() {
      if (connection_ != nullptr) pool_->Return(std::move(connection_));
    }
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

   private:
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  // UNAVAILABLE: the database cannot be reached, or every connection stayed busy.
  absl::StatusOr<Lease> Borrow();

 private:
  void Return(std::unique_ptr<Connection> connection);

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace sluice::store
