#pragma once

// The bytes of one message that are in memory, counted among its gateway's buffered bytes. One thread.

#include <memory>

#include "data-plane/limit/slot.h"
#include "data-plane/route/gateway.h"

namespace sluice::limit {

class Buffered {
 public:
  // Whose bytes they are, once that is known: what is held already counts from now on. False where there is no room for
  // it in the gateway's plan.
  bool Begin(const std::shared_ptr<const Gateway>& gateway) {
    max_ = gateway->plan().max_buffered_bytes();
    return slot_.Take(std::shared_ptr<GatewayState>(gateway, &gateway->state()), &GatewayState::buffered_bytes,
                      static_cast<int64_t>(bytes_), max_);
  }
  bool begun() const { return slot_.held(); }

  // So many are held from now on. False, and nothing changed, where the plan has no room for more.
  bool Hold(size_t bytes) {
    if (begun() && bytes != bytes_ && !slot_.Resize(static_cast<int64_t>(bytes), max_)) return false;
    bytes_ = bytes;
    return true;
  }
  size_t bytes() const { return bytes_; }
  void Release() { slot_.Release(); }

 private:
  Slot slot_;
  uint64_t max_ = 0;
  size_t bytes_ = 0;
};

}  // namespace sluice::limit
