#pragma once

// The timers of one loop: a hashed wheel. A timer sits in the slot of its tick, modulo the wheel; one whose tick lies a
// round or more ahead is passed over until its round comes. Arming and disarming cost the same however many there are.

#include <array>
#include <cstdint>

#include "data-plane/io/loop.h"

namespace sluice::io {

class TimerWheel {
 public:
  static constexpr uint32_t kSlots = 4096;  // a round takes 16 s
  explicit TimerWheel(MonotonicTime origin) : origin_(origin) {}

  struct Call {
    MonotonicTime at;  // or after
    void (*fire)(void*);
    void* context;
  };
  void Arm(Timer& timer, Loop& loop, Call call, MonotonicTime now);
  void Disarm(Timer& timer);
  // Runs what is due. What those arm anew for a time already past runs at the next call.
  void Fire(MonotonicTime now);
  // When Fire should be called next: kNever where nothing is armed.
  MonotonicTime NextWake() const;

 private:
  static constexpr uint32_t kSoon = kSlots;     // armed for a time already past
  static constexpr uint32_t kDue = kSlots + 1;  // being fired

  int64_t TickAtOrAfter(MonotonicTime time) const;
  void Link(Timer& timer, uint32_t slot);
  void Unlink(Timer& timer);
  void CollectDue(uint32_t slot, int64_t tick);

  MonotonicTime origin_;
  int64_t last_tick_ = 0;  // every tick up to this has been fired
  size_t armed_ = 0;
  std::array<Timer*, kSlots + 2> slots_{};
  std::array<uint64_t, kSlots / 64> occupied_{};
};

}  // namespace sluice::io
