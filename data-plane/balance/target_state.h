#pragma once

// What a node knows of one target, whatever the configuration around it: health, requests in flight, latency, when it
// was checked last. Shared by all workers, hence atomics; callable from every thread. A healthy target's success writes
// nothing.
//
// Note, 2026-11-23. In two things this is not Kong. A success clears the counts of failures, as the word "consecutive"
// has it; Kong without `healthy.successes` adds failures up for ever. And a target recovers without active checks: when
// kFirstBreak has passed, one request at a time tries it, and its success counts (at least one is needed); each trial
// that fails doubles the break, up to kMaxBreak. In Kong such a target stays away until somebody sets it healthy by
// hand, which nobody does at night.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "common/base/clock.h"
#include "data-plane/balance/upstream.h"

namespace sluice {

class TargetState {
 public:
  static constexpr std::chrono::seconds kFirstBreak{10};
  static constexpr int kMaxDoublings = 5;  // of the break: 320 s
  // A target that could not be connected to comes last for so long, whatever the health checks; it is asked all the
  // same where there is no other.
  static constexpr std::chrono::seconds kAvoidFor{1};
  static constexpr std::chrono::seconds kLatencyDecay{10};  // Kong's

  enum class Outcome : uint8_t { kSuccess, kHttpFailure, kTcpFailure, kTimeout };

  bool healthy() const { return (word_.load(std::memory_order_relaxed) & kUnhealthy) == 0; }
  // Counts an outcome. Where that changes the target's health: what it is now.
  std::optional<bool> Report(Outcome outcome, const HealthLimits& limits, MonotonicTime now);

  // An unhealthy target may be tried by one request now.
  bool TrialDue(MonotonicTime now) const;
  // Only one of those who ask at once gets it; nobody else until the break is over again.
  bool ClaimTrial(MonotonicTime now);
  // The trial's request went well or not. As Report.
  std::optional<bool> EndTrial(bool good, const HealthLimits& limits, MonotonicTime now);

  void Avoid(MonotonicTime now);
  bool avoided(MonotonicTime now) const { return Nanos(now) < avoid_until_.load(std::memory_order_relaxed); }

  // Of upstreams whose algorithm asks.
  void Enter() { in_flight_.fetch_add(1, std::memory_order_relaxed); }
  void Leave() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }
  int64_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }

  // Peak EWMA: a slower answer counts at once, faster ones by and by.
  void ObserveLatency(Duration latency, MonotonicTime now);
  // What one more request would wait, in nanoseconds; falls towards 0 while nothing is known anew.
  double Cost(MonotonicTime now) const;

  // Since when the interval of the active check at hand runs; the epoch: never checked. For the worker that checks.
  MonotonicTime checked_at() const { return Time(checked_at_.load(std::memory_order_relaxed)); }
  void PlanCheckAfter(MonotonicTime at) { checked_at_.store(Nanos(at), std::memory_order_relaxed); }

 private:
  static constexpr uint64_t kUnhealthy = uint64_t{1} << 63;
  static int64_t Nanos(MonotonicTime time) { return time.time_since_epoch().count(); }
  static MonotonicTime Time(int64_t nanos) { return MonotonicTime(Duration(nanos)); }
  Duration Break() const;

  std::atomic<uint64_t> word_{0};  // kUnhealthy, and a byte for each outcome in a row
  std::atomic<int64_t> trial_at_{0};
  std::atomic<int> doublings_{0};
  std::atomic<int64_t> avoid_until_{0};
  std::atomic<int64_t> in_flight_{0};
  std::atomic<double> latency_{0};
  std::atomic<int64_t> observed_at_{0};
  std::atomic<int64_t> checked_at_{0};
};

// One request in flight at a target, while it lives.
class InFlight {
 public:
  InFlight() = default;
  explicit InFlight(std::shared_ptr<TargetState> target) : target_(std::move(target)) { target_->Enter(); }
  InFlight(InFlight&& other) noexcept = default;
  InFlight& operator=(InFlight&& other) noexcept {
    std::swap(target_, other.target_);
    return *this;
  }
  ~InFlight() {
    if (target_ != nullptr) target_->Leave();
  }

 private:
  std::shared_ptr<TargetState> target_;
};

}  // namespace sluice
