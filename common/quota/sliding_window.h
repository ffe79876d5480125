#pragma once

// At most `limit` admissions in any one second: the last `limit` admission times in a ring. A token bucket with burst B
// would admit limit + B; this does not. Exact under concurrency without a lock (see the .cc), so that all workers of a
// node share one window per gateway. 8 bytes a slot, allocated with the first request.

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/base/clock.h"
#include "common/quota/slots.h"

namespace sluice::quota {

inline constexpr int64_t kWindowMicros = std::chrono::duration_cast<std::chrono::microseconds>(kWindow).count();

struct Admission {
  bool admitted;
  uint32_t limit;
  int64_t retry_in_micros;  // when the oldest admission leaves the window; 0 where admitted
};

class SlidingWindow {
 public:
  explicit SlidingWindow(uint32_t limit);  // 0: admits nothing
  ~SlidingWindow();
  SlidingWindow(const SlidingWindow&) = delete;

  // Callable from every thread at once. `now` must come from one monotonic clock, less than 8 years after its epoch.
  Admission Admit(MonotonicTime now);
  uint32_t limit() const { return limit_; }

  // A window of another limit that counts what this one admitted within the last second, so that no second holds more
  // than the limit at its last admission, or at an admission before. This one closes: whoever still holds it is
  // answered by the new one. One thread at a time, and once per window.
  std::shared_ptr<SlidingWindow> Resized(uint32_t limit) { return Moved(limit, {}, nullptr); }
  // The same with slots from elsewhere, and with those that do not fit any more handed out, the longest unused first,
  // in `released`: then it is their next holder who counts what was admitted with them.
  std::shared_ptr<SlidingWindow> Moved(uint32_t limit, const Slots& more, Slots* released);

 private:
  using Slot = std::atomic<uint64_t>;
  struct Closed {
    uint64_t head;
    uint64_t overwritten;
  };

  Slot* Ring();
  uint64_t Generation(uint64_t position) const { return (position / size_) & 0xffff; }
  Closed Close(Slot* slots);
  std::vector<int64_t> CloseAndList();  // stamps, ascending
  void Fill(const std::vector<int64_t>& stamps);  // at most size_ of them, before anybody else sees this

  const uint32_t limit_;
  const uint32_t size_;         // of the ring: where nothing is admitted it has one slot, never free
  std::atomic<uint64_t> head_;  // the position of the next admission; its slot is head_ % size_
  std::atomic<Slot*> slots_{nullptr};
  std::shared_ptr<SlidingWindow> next_;  // after Resized
  std::vector<int64_t> older_;           // stamps before those of the ring, from larger windows before this one
  std::atomic<bool> has_next_{false};
};

}  // namespace sluice::quota
