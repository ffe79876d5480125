#include "common/quota/slots.h"

#include <algorithm>

namespace sluice::quota {

Slots Slots::Read(const std::vector<SlotGroup>& list, MonotonicTime now) {
  Slots slots;
  for (const SlotGroup& group : list) slots.Add(group.count, now + std::clamp(group.ready_in, Duration{}, kWindow));
  return slots;
}

std::vector<SlotGroup> Slots::Write(MonotonicTime now) const {
  std::vector<SlotGroup> list;
  for (const Group& group : groups_) {
    const Duration left = std::clamp<Duration>(group.ready - now, Duration{}, kWindow);
    const Duration rounded = std::min((left + kSlotGrain - Duration(1)) / kSlotGrain * kSlotGrain, kWindow);
    if (list.empty() || list.back().ready_in != rounded) list.push_back({0, rounded});
    list.back().count += group.count;
  }
  return list;
}

void Slots::Add(uint32_t count, MonotonicTime ready) {
  if (count == 0) return;
  const auto at = std::lower_bound(groups_.begin(), groups_.end(), ready,
                                   [](const Group& group, MonotonicTime time) { return group.ready < time; });
  if (at != groups_.end() && at->ready == ready) {
    at->count += count;
  } else {
    groups_.insert(at, {ready, count});
  }
  count_ += count;
}

void Slots::Add(const Slots& other) {
  for (const Group& group : other.groups_) Add(group.count, group.ready);
}

Slots Slots::TakeFirst(uint32_t count) {
  Slots taken;
  auto group = groups_.begin();
  for (; group != groups_.end() && taken.count_ < count; ++group) {
    const uint32_t part = std::min(group->count, count - taken.count_);
    taken.Add(part, group->ready);
    group->count -= part;
    if (group->count > 0) break;
  }
  groups_.erase(groups_.begin(), group);
  count_ -= taken.count_;
  return taken;
}

void Slots::DropLast(uint32_t count) {
  while (count > 0 && !groups_.empty()) {
    const uint32_t part = std::min(groups_.back().count, count);
    groups_.back().count -= part;
    count_ -= part;
    count -= part;
    if (groups_.back().count == 0) groups_.pop_back();
  }
}

}  // namespace sluice::quota
