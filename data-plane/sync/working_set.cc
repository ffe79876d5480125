#include "data-plane/sync/working_set.h"

#include <algorithm>
#include <utility>

namespace sluice::sync {

std::vector<std::string> WorkingSet::Look(MonotonicTime now,
                                          const std::function<uint64_t(const std::string&)>& asked) {
  std::vector<std::pair<MonotonicTime, const std::string*>> unused;
  for (auto& [id, use] : used_) {
    const uint64_t count = asked(id);
    if (count != use.asked || count == kBusy) use = {count, now};
    if (use.at + min_unused_ <= now) unused.emplace_back(use.at, &id);
  }
  if (used_.size() <= most_) return {};
  const size_t wanted = std::min({used_.size() - most_, unused.size(), kMaxEvicted});
  const auto end = unused.begin() + static_cast<std::ptrdiff_t>(wanted);
  std::partial_sort(unused.begin(), end, unused.end(),
                    [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> evicted;
  for (auto one = unused.begin(); one != end; ++one) evicted.push_back(*one->second);
  return evicted;
}

}  // namespace sluice::sync
