#pragma once

// A clock that moves when the test moves it. Its calendar stands still. Not for several threads.

#include "common/base/clock.h"

namespace sluice::test {

class HandClock final : public Clock {
 public:
  explicit HandClock(Duration start = std::chrono::seconds(1000)) : now(start) {}
  MonotonicTime Now() const override { return now; }
  WallTime WallNow() const override { return {}; }
  MonotonicTime now;
};

}  // namespace sluice::test
