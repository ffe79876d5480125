#pragma once

// How many of a gateway's requests may be tried again: a fifth of them, and kPerSecond for those with little traffic,
// saved up to kBurst. A dying upstream then gets a little more than it was sent, never several times as much. Shared by
// all workers; callable from every thread. While nothing is retried, a request only reads.

#include <atomic>
#include <cstdint>

#include "common/base/clock.h"

namespace sluice {

class RetryBudget {
 public:
  static constexpr int64_t kBurst = 10;
  static constexpr int64_t kPerSecond = 1;
  static constexpr int64_t kRequestsPerRetry = 5;

  // A request is forwarded for the first time.
  void OnRequest() { Add(kUnit / kRequestsPerRetry); }
  // False: the request must do with what it has got.
  bool Take(MonotonicTime now);

 private:
  static constexpr int64_t kUnit = 1000;  // of one retry
  void Add(int64_t amount);

  std::atomic<int64_t> saved_{kBurst * kUnit};
  std::atomic<int64_t> refilled_at_{0};  // milliseconds, monotonic
};

}  // namespace sluice
