#pragma once

// How large a request body may be and how slowly it may come. One object a body, on one thread.

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "common/base/clock.h"
#include "data-plane/http/head.h"

namespace sluice::limit {

// True where the declared length alone is too much. `max` 0: no limit.
inline bool DeclaredTooLarge(const http::Framing& framing, uint64_t max) {
  return max != 0 && framing.kind == http::Framing::Kind::kLength && framing.length > max;
}

inline constexpr uint64_t kMinBodyRate = 1024;  // bytes a second
inline constexpr std::chrono::seconds kBodyRateWindow{10};

// The minimum rate of a body, counted over the time spent waiting for the client; time in which nobody read, because
// the upstream was slow, is not held against it.
class RateFloor {
 public:
  explicit RateFloor(Duration window = kBodyRateWindow) : window_(window), left_(window) {}

  // When a wait that begins now must have brought something.
  MonotonicTime Deadline(MonotonicTime now) const { return now + left_; }
  void Count(uint64_t bytes, Duration waited) {
    left_ -= std::min(left_, waited);
    bytes_ += bytes;
    if (bytes_ * 1'000'000'000 >= kMinBodyRate * static_cast<uint64_t>(window_.count())) {
      bytes_ = 0;
      left_ = window_;
    }
  }
  // True where the window has passed without enough.
  bool TooSlow() const { return left_ <= Duration::zero(); }

 private:
  Duration window_;
  Duration left_;
  uint64_t bytes_ = 0;
};

}  // namespace sluice::limit
