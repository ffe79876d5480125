#pragma once

// How many requests a second are asked for, estimated from counts: steady where arrivals are merely irregular, quick
// where the load has really changed. A value; not for several threads.

#include <array>
#include <cstdint>

#include "common/quota/slots.h"

namespace sluice::quota {

class Demand {
 public:
  static constexpr Duration kTick = std::chrono::milliseconds(100);

  void Count(uint64_t requests, MonotonicTime now);
  // With headroom for arrivals that come unevenly.
  uint32_t Estimate(MonotonicTime now);

 private:
  static constexpr int64_t kTicks = 10;  // a second
  void Advance(MonotonicTime now);

  std::array<uint64_t, kTicks> counts_{};
  int64_t tick_ = 0;
};

}  // namespace sluice::quota
