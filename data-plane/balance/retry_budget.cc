#include "data-plane/balance/retry_budget.h"

#include <algorithm>

namespace sluice {

void RetryBudget::Add(int64_t amount) {
  int64_t saved = saved_.load(std::memory_order_relaxed);
  while (saved < kBurst * kUnit) {
    const int64_t next = std::min(saved + amount, kBurst * kUnit);
    if (saved_.compare_exchange_weak(saved, next, std::memory_order_relaxed)) return;
  }
}

bool RetryBudget::Take(MonotonicTime now) {
  const int64_t millis = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  int64_t before = refilled_at_.load(std::memory_order_relaxed);
  // The first to see that time has passed adds what it brought; a millisecond brings kPerSecond thousandths.
  if (before < millis && refilled_at_.compare_exchange_strong(before, millis, std::memory_order_relaxed)) {
    if (before != 0) Add(std::min(millis - before, int64_t{1000} * kBurst) * kPerSecond * kUnit / 1000);
  }
  int64_t saved = saved_.load(std::memory_order_relaxed);
  while (saved >= kUnit) {
    if (saved_.compare_exchange_weak(saved, saved - kUnit, std::memory_order_relaxed)) return true;
  }
  return false;
}

}  // namespace sluice
