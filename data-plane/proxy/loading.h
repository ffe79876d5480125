#pragma once

// Requests that wait for a gateway which their worker knows by its head alone: they are woken by whatever the worker
// hears of it next. One for each worker, on its thread.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "data-plane/io/loop.h"
#include "data-plane/route/gateway_loader.h"

namespace sluice::proxy {

class Loading {
 public:
  // `loader`: null where nothing can be loaded. `most`: requests that wait at once.
  Loading(io::Loop& loop, GatewayLoader* loader, size_t most) : loop_(loop), loader_(loader), most_(most) {}

  enum class Outcome : uint8_t {
    kNews,     // it was loaded, refused or removed
    kTimeout,  // no news until the deadline
    kAway,     // it cannot be had for now
    kFull,     // so many others of this worker wait already
  };
  io::Task<Outcome> Wait(std::string gateway_id, MonotonicTime deadline);
  // There is news of it.
  void Wake(const std::string& gateway_id);
  size_t waiting() const { return waiting_; }

 private:
  class Waiter;

  io::Loop& loop_;
  GatewayLoader* const loader_;
  const size_t most_;
  size_t waiting_ = 0;
  absl::flat_hash_map<std::string, std::vector<Waiter*>> waiters_;  // by gateway
};

}  // namespace sluice::proxy
