#pragma once

// Fixed-window counters by key, for plugins (rate-limiting, policy local). Exact across the workers of a node, which
// is why they are shared: 16 stripes, each behind a mutex held for one lookup. Bounded: past kMaxKeys the stripe drops
// windows that have ended, and then refuses to count new keys (the caller's fault_tolerant decides).
//
// Note, 2026-11-22: nothing else is locked on the request path. Counters of each worker's own would admit the limit
// once a worker, and a lock-free table of growing keys is more than what this needs; only requests that a plugin counts
// pay.

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"

namespace sluice {

class Counters {
 public:
  Counters() = default;
  ~Counters() { delete stripes_.load(std::memory_order_relaxed); }
  Counters(const Counters&) = delete;
  static constexpr size_t kStripes = 16;
  static constexpr size_t kMaxKeys = 100'000;  // a gateway, all stripes

  struct Window {
    int64_t start = 0;  // Unix seconds
    int64_t end = 0;
    double limit = 0;
  };
  static constexpr size_t kMaxWindows = 6;  // second to year
  struct Outcome {
    bool admitted = true;
    std::array<int64_t, kMaxWindows> used{};  // after this request where admitted, before it where not
  };
  // Counts one request under `key` in all windows if none of them is full; in none otherwise. Callable from every
  // thread. nullopt: no room for another key.
  std::optional<Outcome> CountIfBelow(std::string_view key, const Window* windows, size_t count);

  // Whether any window lasts longer than that. Callable from every thread.
  bool AnyAfter(int64_t unix_seconds);

  // A plain counter that only grows (correlation-id's generator).
  uint64_t Next() { return next_.fetch_add(1, std::memory_order_relaxed) + 1; }

 private:
  struct Entry {
    std::array<Window, kMaxWindows> windows{};
    std::array<int64_t, kMaxWindows> used{};
    size_t count = 0;
    void Turn(const Window* wanted, size_t wanted_count);
  };
  struct Stripe {
    std::mutex mutex;
    absl::flat_hash_map<std::string, Entry> entries;
    int64_t swept_at = -1;
    bool MakeRoom(const Window* wanted, size_t wanted_count);
  };
  using Stripes = std::array<Stripe, kStripes>;
  Stripes& All();

  std::atomic<Stripes*> stripes_{nullptr};  // made for the first key: most gateways count nothing
  std::atomic<uint64_t> next_{0};
};

}  // namespace sluice
