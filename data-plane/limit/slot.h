#pragma once

// A counted share of something that a plan bounds (requests in flight, upstream connections, buffered bytes), given
// back when the object goes. Any thread may take and give; a slot itself belongs to one.

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "data-plane/route/state.h"

namespace sluice::limit {

// Keeps the GatewayState alive for as long as it counts there.
class Slot {
 public:
  Slot() = default;
  Slot(Slot&& other) noexcept
      : state_(std::move(other.state_)),
        counter_(std::exchange(other.counter_, nullptr)),
        held_(std::exchange(other.held_, 0)) {}
  Slot& operator=(Slot&& other) noexcept {
    std::swap(state_, other.state_);
    std::swap(counter_, other.counter_);
    std::swap(held_, other.held_);
    return *this;
  }
  ~Slot() { Release(); }

  // Counts `amount` in `counter`, which is a member of `state`. False, and nothing counted, where that would exceed
  // `max` (0: no limit).
  bool Take(std::shared_ptr<GatewayState> state, std::atomic<int64_t> GatewayState::*counter, int64_t amount,
            uint64_t max) {
    std::atomic<int64_t>& value = (*state).*counter;
    if (!Count(value, amount, max)) return false;
    Release();
    state_ = std::move(state);
    counter_ = &value;
    held_ = amount;
    return true;
  }
  // Counts so much in the same place from now on. False, and nothing changed, where that is more than before and would
  // exceed `max`.
  bool Resize(int64_t amount, uint64_t max) {
    if (counter_ == nullptr || !Count(*counter_, amount - held_, amount > held_ ? max : 0)) return false;
    held_ = amount;
    return true;
  }
  void Release() {
    if (counter_ != nullptr) counter_->fetch_sub(held_, std::memory_order_relaxed);
    counter_ = nullptr;
    held_ = 0;
    state_.reset();
  }
  bool held() const { return counter_ != nullptr; }

 private:
  static bool Count(std::atomic<int64_t>& counter, int64_t amount, uint64_t max) {
    int64_t after = counter.fetch_add(amount, std::memory_order_relaxed) + amount;
    if (max == 0 || after <= static_cast<int64_t>(max)) return true;
    counter.fetch_sub(amount, std::memory_order_relaxed);
    return false;
  }
  std::shared_ptr<GatewayState> state_;
  std::atomic<int64_t>* counter_ = nullptr;
  int64_t held_ = 0;
};

}  // namespace sluice::limit
