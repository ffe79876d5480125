#include "data-plane/balance/target_state.h"

#include <algorithm>
#include <cmath>

namespace sluice {
namespace {

using Outcome = TargetState::Outcome;

// Finagle's penalty for a target with requests in flight and no answer yet: worse than any that has answered.
constexpr double kUnknownCost = 1e15;

uint8_t LimitOf(Outcome outcome, const HealthLimits& limits) {
  switch (outcome) {
    case Outcome::kSuccess:
      return limits.successes;
    case Outcome::kHttpFailure:
      return limits.http_failures;
    case Outcome::kTcpFailure:
      return limits.tcp_failures;
    case Outcome::kTimeout:
      return limits.timeouts;
  }
  return 0;
}

}  // namespace

std::optional<bool> TargetState::Report(Outcome outcome, const HealthLimits& limits, MonotonicTime now) {
  const uint8_t limit = LimitOf(outcome, limits);
  const int shift = static_cast<int>(outcome) * 8;
  const bool good = outcome == Outcome::kSuccess;
  uint64_t old = word_.load(std::memory_order_relaxed);
  for (;;) {
    const bool healthy = (old & kUnhealthy) == 0;
    uint64_t next = old & kUnhealthy;  // good again, or bad again: nothing more to count
    bool flips = false;
    if (good != healthy) {
      if (limit == 0) return std::nullopt;
      const uint64_t count = ((old >> shift) & 0xff) + 1;
      flips = count >= limit;
      next = flips ? (~old & kUnhealthy) : (old & ~(uint64_t{0xff} << shift)) | count << shift;
    }
    if (next == old) return std::nullopt;
    if (!word_.compare_exchange_weak(old, next, std::memory_order_relaxed)) continue;
    if (!flips) return std::nullopt;
    doublings_.store(0, std::memory_order_relaxed);
    if (!good) trial_at_.store(Nanos(now + kFirstBreak), std::memory_order_relaxed);
    return good;
  }
}

Duration TargetState::Break() const {
  return kFirstBreak * (1 << std::clamp(doublings_.load(std::memory_order_relaxed), 0, kMaxDoublings));
}

bool TargetState::TrialDue(MonotonicTime now) const {
  return !healthy() && trial_at_.load(std::memory_order_relaxed) <= Nanos(now);
}

bool TargetState::ClaimTrial(MonotonicTime now) {
  int64_t due = trial_at_.load(std::memory_order_relaxed);
  if (due > Nanos(now) || healthy()) return false;
  return trial_at_.compare_exchange_strong(due, Nanos(now + Break()), std::memory_order_relaxed);
}

std::optional<bool> TargetState::EndTrial(bool good, const HealthLimits& limits, MonotonicTime now) {
  if (!good) {
    const int doublings = doublings_.load(std::memory_order_relaxed);
    doublings_.store(std::min(doublings + 1, kMaxDoublings), std::memory_order_relaxed);
    trial_at_.store(Nanos(now + Break()), std::memory_order_relaxed);
    return Report(Outcome::kTcpFailure, {}, now);  // the successes so far count no more
  }
  const uint8_t successes = std::max<uint8_t>(1, limits.successes);
  const std::optional<bool> changed = Report(Outcome::kSuccess, {.successes = successes}, now);
  if (!changed.has_value()) trial_at_.store(Nanos(now), std::memory_order_relaxed);  // the next one at once
  return changed;
}

void TargetState::Avoid(MonotonicTime now) {
  avoid_until_.store(Nanos(now + kAvoidFor), std::memory_order_relaxed);
}

void TargetState::ObserveLatency(Duration latency, MonotonicTime now) {
  const double observed = static_cast<double>(std::max<int64_t>(latency.count(), 1));
  const double before = latency_.load(std::memory_order_relaxed);
  const int64_t since = observed_at_.exchange(Nanos(now), std::memory_order_relaxed);
  double after = observed;
  if (before > observed) {
    const double age = static_cast<double>(std::max<int64_t>(0, Nanos(now) - since));
    const double weight = std::exp(-age / static_cast<double>(Duration(kLatencyDecay).count()));
    after = before * weight + observed * (1 - weight);
  }
  latency_.store(after, std::memory_order_relaxed);
}

double TargetState::Cost(MonotonicTime now) const {
  const double latency = latency_.load(std::memory_order_relaxed);
  const double waiting = static_cast<double>(in_flight());
  if (latency == 0) return waiting == 0 ? 0 : kUnknownCost + waiting;
  const double age =
      static_cast<double>(std::max<int64_t>(0, Nanos(now) - observed_at_.load(std::memory_order_relaxed)));
  return latency * std::exp(-age / static_cast<double>(Duration(kLatencyDecay).count())) * (waiting + 1);
}

}  // namespace sluice
