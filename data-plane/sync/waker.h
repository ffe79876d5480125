#pragma once

// The thread that awakens gateways when they are asked for and the applier is not at work, and lets unused ones rest.
// It begins before anything is served and ends after the sync client. Owned by main().

#include <thread>

#include "data-plane/sync/applier.h"
#include "data-plane/sync/wakes.h"

namespace sluice::sync {

class Waker {
 public:
  static constexpr Duration kMaxInterval = std::chrono::seconds(10);  // between looks for what is unused

  Waker(Applier& applier, Wakes& wakes, const RestRules& rules);
  ~Waker();
  Waker(const Waker&) = delete;

 private:
  void Run();

  Applier& applier_;
  Wakes& wakes_;
  const Duration interval_;
  std::thread thread_;
};

}  // namespace sluice::sync
