#pragma once

// Keeps a fleet that comes all at once, after a replica was away, from being served all at once: a token bucket on new
// streams, and a bound on those that are sent everything. Who is turned away is told when to ask again. Callable from
// every thread; its lock is taken last.

#include <cstddef>
#include <map>
#include <mutex>

#include "common/base/clock.h"

namespace sluice::sync {

struct HerdLimits {
  int streams_per_second = 100;
  int burst = 200;
  size_t full_syncs = 64;  // at once
};

class Herd {
 public:
  static constexpr Duration kRetryAfter = std::chrono::seconds(1);      // nodes add as much again at random
  static constexpr Duration kFullSyncTime = std::chrono::seconds(30);  // then a slow node does not count any more

  Herd(const Clock& clock, const HerdLimits& limits);

  // False: no further stream now.
  bool AdmitStream();
  // False: as many streams as may are being sent everything. What was begun ends with EndFull, or by itself.
  bool BeginFull(const void* stream);
  void EndFull(const void* stream);

 private:
  const Clock& clock_;
  const HerdLimits limits_;
  std::mutex mutex_;
  double tokens_;
  MonotonicTime filled_;
  std::map<const void*, MonotonicTime> full_;  // since when
};

}  // namespace sluice::sync
