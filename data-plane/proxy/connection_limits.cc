#include "data-plane/proxy/connection_limits.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

namespace sluice::proxy {

size_t ConnectionLimits::HalfTheDescriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 512;
  return std::max<size_t>(1, limit.rlim_cur / 2);
}

bool ConnectionLimits::Enter() {
  if (total_.fetch_add(1, std::memory_order_relaxed) < max_.total) return true;
  total_.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

Admission::Admission(Admission&& other) noexcept
    : limits_(other.limits_),
      entered_(std::exchange(other.entered_, false)),
      address_(std::exchange(other.address_, {})),
      state_(std::exchange(other.state_, nullptr)),
      gateway_(std::move(other.gateway_)) {}

Admission::~Admission() {
  if (!address_.empty()) limits_->of_addresses_.Leave(address_);
  if (entered_) limits_->total_.fetch_sub(1, std::memory_order_relaxed);
}

bool Admission::Enter() {
  entered_ = limits_->Enter();
  return entered_;
}

bool Admission::EnterAddress(std::string address) {
  if (!limits_->of_addresses_.Enter(address, limits_->max_.per_address)) return false;
  address_ = std::move(address);
  return true;
}

// The state and not the gateway is held: a connection that rests must not keep an old configuration.
bool Admission::EnterGateway(const Gateway& gateway) {
  const std::shared_ptr<GatewayState>& state = gateway.shared_state();
  if (state.get() == state_) return true;
  if (!gateway_.Take(state, &GatewayState::client_connections, 1, limits_->max_.per_gateway)) return false;
  state_ = state.get();
  return true;
}

}  // namespace sluice::proxy
