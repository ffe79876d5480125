#pragma once

// How many connections a node's clients hold, in all and each address for itself. Shared by all workers; locked at the
// beginning and the end of a connection, never for a request. Callable from every thread.

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"

namespace sluice::proxy {

enum class ConnectionVerdict { kAdmitted, kTotal, kAddress };

class ConnectionLimits {
 public:
  ConnectionLimits(size_t max_total, size_t max_per_address)
      : max_total_(max_total), max_per_address_(max_per_address) {}

  // Half of the descriptors that this process may have.
  static size_t HalfTheDescriptors();

  // kAdmitted: Leave must follow.
  ConnectionVerdict Enter(const std::string& address);
  void Leave(const std::string& address);

 private:
  static constexpr size_t kStripes = 16;
  struct Stripe {
    std::mutex mutex;
    absl::flat_hash_map<std::string, size_t> connections;
  };
  Stripe& StripeOf(const std::string& address) { return stripes_[std::hash<std::string>{}(address) % kStripes]; }

  const size_t max_total_;
  const size_t max_per_address_;
  std::atomic<size_t> total_{0};
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace sluice::proxy
