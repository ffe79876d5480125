#pragma once

// How long to wait before a peer is tried again: uniform between nothing and a bound that doubles, so that a fleet does
// not come back all at once.

#include <algorithm>
#include <cstdint>

#include "common/base/clock.h"
#include "common/base/random.h"

namespace sluice::sync {

// Less than `bound`.
inline Duration Jitter(Duration bound) {
  if (bound <= Duration(0)) return Duration(0);
  return Duration(static_cast<int64_t>(Random64() % static_cast<uint64_t>(bound.count())));
}

inline Duration Backoff(Duration first, Duration most, int failures) {
  return Jitter(std::min(most, first * (int64_t{1} << std::min(failures, 10))));
}

}  // namespace sluice::sync
