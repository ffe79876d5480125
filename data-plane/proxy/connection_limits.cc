#include "data-plane/proxy/connection_limits.h"

#include <sys/resource.h>

#include <algorithm>

namespace sluice::proxy {

size_t ConnectionLimits::HalfTheDescriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 512;
  return std::max<size_t>(1, limit.rlim_cur / 2);
}

ConnectionVerdict ConnectionLimits::Enter(const std::string& address) {
  if (total_.fetch_add(1, std::memory_order_relaxed) >= max_total_) {
    total_.fetch_sub(1, std::memory_order_relaxed);
    return ConnectionVerdict::kTotal;
  }
  Stripe& stripe = StripeOf(address);
  std::lock_guard lock(stripe.mutex);
  size_t& held = stripe.connections[address];
  if (held >= max_per_address_) {
    total_.fetch_sub(1, std::memory_order_relaxed);
    return ConnectionVerdict::kAddress;
  }
  ++held;
  return ConnectionVerdict::kAdmitted;
}

void ConnectionLimits::Leave(const std::string& address) {
  total_.fetch_sub(1, std::memory_order_relaxed);
  Stripe& stripe = StripeOf(address);
  std::lock_guard lock(stripe.mutex);
  auto held = stripe.connections.find(address);
  if (held != stripe.connections.end() && --held->second == 0) stripe.connections.erase(held);
}

}  // namespace sluice::proxy
