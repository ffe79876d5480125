#include "data-plane/io/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace sluice::io {
namespace {
constexpr int64_t kTickNanos = int64_t{kTimerTickMs} * 1'000'000;
}  // namespace

int64_t TimerWheel::TickAtOrAfter(MonotonicTime time) const {
  const int64_t nanos = (time - origin_).count();
  return nanos / kTickNanos + (nanos % kTickNanos > 0 ? 1 : 0);
}

void TimerWheel::Arm(Timer& timer, Loop& loop, Call call, MonotonicTime now) {
  timer.loop_ = &loop;
  timer.deadline_ = call.at;
  timer.fire_ = call.fire;
  timer.context_ = call.context;
  ++armed_;
  if (timer.deadline_ <= now) {
    Link(timer, kSoon);
  } else {
    const int64_t tick = std::max(TickAtOrAfter(timer.deadline_), last_tick_ + 1);
    Link(timer, static_cast<uint32_t>(tick % kSlots));
  }
}

void TimerWheel::Disarm(Timer& timer) {
  Unlink(timer);
  --armed_;
  timer.loop_ = nullptr;
}

void TimerWheel::Link(Timer& timer, uint32_t slot) {
  timer.slot_ = slot;
  Timer*& first = slots_[slot];
  if (first == nullptr) {
    timer.prev_ = timer.next_ = first = &timer;
    if (slot < kSlots) occupied_[slot / 64] |= uint64_t{1} << (slot % 64);
    return;
  }
  timer.next_ = first;
  timer.prev_ = first->prev_;
  timer.prev_->next_ = timer.next_->prev_ = &timer;
}

void TimerWheel::Unlink(Timer& timer) {
  const uint32_t slot = timer.slot_;
  Timer*& first = slots_[slot];
  if (timer.next_ == &timer) {
    first = nullptr;
    if (slot < kSlots) occupied_[slot / 64] &= ~(uint64_t{1} << (slot % 64));
    return;
  }
  timer.prev_->next_ = timer.next_;
  timer.next_->prev_ = timer.prev_;
  if (first == &timer) first = timer.next_;
}

void TimerWheel::CollectDue(uint32_t slot, int64_t tick) {
  Timer* const first = slots_[slot];
  if (first == nullptr) return;
  Timer* const last = first->prev_;
  for (Timer* timer = first;;) {
    Timer* const next = timer->next_;
    const bool is_last = timer == last;
    if (TickAtOrAfter(timer->deadline_) <= tick) {
      Unlink(*timer);
      Link(*timer, kDue);
    }
    if (is_last) return;
    timer = next;
  }
}

void TimerWheel::Fire(MonotonicTime now) {
  while (Timer* timer = slots_[kSoon]) {
    Unlink(*timer);
    Link(*timer, kDue);
  }
  const int64_t tick = (now - origin_).count() / kTickNanos;
  if (tick > last_tick_) {
    const int64_t first = std::max(last_tick_ + 1, tick - int64_t{kSlots} + 1);
    for (int64_t t = first; t <= tick; ++t) CollectDue(static_cast<uint32_t>(t % kSlots), tick);
    last_tick_ = tick;
  }
  while (Timer* timer = slots_[kDue]) {
    Disarm(*timer);
    timer->fire_(timer->context_);  // may arm, disarm or destroy any timer, this one included
  }
}

MonotonicTime TimerWheel::NextWake() const {
  if (slots_[kSoon] != nullptr) return MonotonicTime::min();
  if (armed_ == 0) return kNever;
  const uint32_t start = static_cast<uint32_t>((last_tick_ + 1) % kSlots);
  for (uint32_t step = 0; step <= kSlots / 64; ++step) {
    const uint32_t word = (start / 64 + step) % (kSlots / 64);
    uint64_t bits = occupied_[word];
    if (step == 0) bits &= ~uint64_t{0} << (start % 64);
    if (bits == 0) continue;
    const uint32_t slot = word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
    const int64_t ahead = (slot + kSlots - start) % kSlots;
    return origin_ + std::chrono::nanoseconds((last_tick_ + 1 + ahead) * kTickNanos);
  }
  return kNever;
}

}  // namespace sluice::io
