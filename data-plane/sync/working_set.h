#pragma once

// Which of the gateways that a node holds the configurations of it can do without: those that nobody has asked for
// longest. Told now and then how often each was asked; not a clock, not a lock. One thread at a time.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/base/clock.h"

namespace sluice::sync {

class WorkingSet {
 public:
  // What was asked for within it stays, however many there are: longer than any window of admissions, and than a
  // request that waits for one.
  static constexpr Duration kMinUnused = std::chrono::seconds(5);
  static constexpr size_t kMaxEvicted = 1000;  // at once

  explicit WorkingSet(size_t most, Duration min_unused = kMinUnused) : most_(most), min_unused_(min_unused) {}

  void Add(const std::string& gateway_id, MonotonicTime now) { used_[gateway_id] = {0, now}; }
  void Remove(const std::string& gateway_id) { used_.erase(gateway_id); }
  bool Contains(const std::string& gateway_id) const { return used_.contains(gateway_id); }
  size_t size() const { return used_.size(); }

  // `asked`: how often each was asked so far, or kBusy. Returns those to let go of, the longest unused first.
  static constexpr uint64_t kBusy = ~uint64_t{0};
  std::vector<std::string> Look(MonotonicTime now, const std::function<uint64_t(const std::string&)>& asked);

 private:
  struct Use {
    uint64_t asked = 0;
    MonotonicTime at;  // when that was first seen, which is after it was
  };
  const size_t most_;
  const Duration min_unused_;
  absl::flat_hash_map<std::string, Use> used_;
};

}  // namespace sluice::sync
