#pragma once

// A limit of L requests in any second is L slots, each good for one admission and good again a second later. Whoever
// holds a slot may admit; a slot that changes hands keeps the time before which it must not be used, so that moving it
// costs no more than the message: wherever slots are, no second ever holds more than L admissions.

#include <chrono>
#include <cstdint>
#include <vector>

#include "common/base/clock.h"

namespace sluice::quota {

inline constexpr Duration kWindow = std::chrono::seconds(1);
// Times on the wire are rounded up to it, which bounds the length of a list.
inline constexpr Duration kSlotGrain = std::chrono::milliseconds(10);

// Slots as a message carries them. Late delivery makes them usable later, never earlier.
struct SlotGroup {
  uint32_t count = 0;
  Duration ready_in{};  // from when the message is read
};

// A bag of slots, each with the time from which it may be used. A value; not for several threads.
class Slots {
 public:
  struct Group {
    MonotonicTime ready;
    uint32_t count;
  };

  Slots() = default;
  Slots(uint32_t count, MonotonicTime ready) { Add(count, ready); }
  static Slots Read(const std::vector<SlotGroup>& list, MonotonicTime now);
  std::vector<SlotGroup> Write(MonotonicTime now) const;

  uint32_t count() const { return count_; }
  const std::vector<Group>& groups() const { return groups_; }  // by time
  void Add(uint32_t count, MonotonicTime ready);
  void Add(const Slots& other);
  Slots TakeFirst(uint32_t count);  // those that can be used soonest; at most what there is
  void DropLast(uint32_t count);

 private:
  std::vector<Group> groups_;
  uint32_t count_ = 0;
};

}  // namespace sluice::quota
