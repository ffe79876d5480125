#include "common/quota/demand.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluice::quota {

void Demand::Advance(MonotonicTime now) {
  const int64_t tick = now.time_since_epoch() / kTick;
  for (int64_t passed = std::min(tick - tick_, kTicks); passed > 0; --passed) counts_[(tick - passed + 1) % kTicks] = 0;
  tick_ = tick;
}

void Demand::Count(uint64_t requests, MonotonicTime now) {
  Advance(now);
  counts_[tick_ % kTicks] += requests;
}

// The last second, unless what came since the tick before contradicts it by more than chance would (arrivals at random
// moments vary by the root of their number).
uint32_t Demand::Estimate(MonotonicTime now) {
  Advance(now);
  const double second = static_cast<double>(std::accumulate(counts_.begin(), counts_.end(), uint64_t{0}));
  const double recent = static_cast<double>(counts_[tick_ % kTicks] + counts_[(tick_ + kTicks - 1) % kTicks]);
  const double part = std::chrono::duration<double>(kTick + now.time_since_epoch() % kTick).count();
  const double expected = second * part;
  const bool changed = std::abs(recent - expected) > 2 * std::sqrt(expected) + 1;
  const double rate = changed ? recent / part : second;
  return static_cast<uint32_t>(std::min(std::ceil(rate), 4e9));
}

}  // namespace sluice::quota
