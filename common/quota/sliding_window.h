#pragma once

// At most `limit` admissions in any one second: the last `limit` admission times in a ring. A token bucket with burst B
// would admit limit + B; this does not. Exact under concurrency without a lock (see the .cc), so that all workers of a
// node share one window per gateway. 8 bytes a slot, allocated with the first request.

#include <atomic>
#include <cstdint>
#include <memory>

#include "common/base/clock.h"

namespace sluice::quota {

inline constexpr int64_t kWindowMicros = 1'000'000;

struct Admission {
  bool admitted;
  uint32_t limit;
  uint32_t remaining;       // after this one; a lower bound while others are admitted at the same time
  int64_t retry_in_micros;  // when the oldest admission leaves the window; 0 where admitted
};

class SlidingWindow {
 public:
  explicit SlidingWindow(uint32_t limit);

  // Callable from every thread at once. `now` must come from one monotonic clock.
  Admission Admit(MonotonicTime now);
  uint32_t limit() const { return limit_; }

  // A window of another limit that counts what this one admitted within the last second, so that a change of plan never
  // admits more than the larger of the two. The old one must not be used afterwards.
  std::unique_ptr<SlidingWindow> Resized(uint32_t limit) const;

 private:
  const uint32_t limit_;
  std::atomic<uint64_t> head_{0};
  std::unique_ptr<std::atomic<uint64_t>[]> slots_;
};

}  // namespace sluice::quota
