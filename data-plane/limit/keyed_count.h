#pragma once

// How many of something each key has now, exact over all workers: connections of an address, requests that wait for a
// connection to a target. A key takes memory only while it has some. Callable from every thread; a lock is held for one
// look at a map, so this is for what happens once a connection, never once a request.

#include <array>
#include <cstddef>
#include <mutex>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"

namespace sluice::limit {

template <typename Key>
class KeyedCount {
 public:
  // False, and nothing is counted, where the key has `max` already.
  bool Enter(const Key& key, size_t max) {
    Stripe& stripe = StripeOf(key);
    std::lock_guard lock(stripe.mutex);
    auto at = stripe.counts.find(key);
    if (at == stripe.counts.end()) return max > 0 && stripe.counts.emplace(key, 1).second;
    if (at->second >= max) return false;
    ++at->second;
    return true;
  }
  // Once for each Enter that was true.
  void Leave(const Key& key) {
    Stripe& stripe = StripeOf(key);
    std::lock_guard lock(stripe.mutex);
    auto at = stripe.counts.find(key);
    if (at != stripe.counts.end() && --at->second == 0) stripe.counts.erase(at);
  }

 private:
  static constexpr size_t kStripes = 16;
  struct Stripe {
    std::mutex mutex;
    absl::flat_hash_map<Key, size_t> counts;
  };
  Stripe& StripeOf(const Key& key) { return stripes_[absl::Hash<Key>{}(key) % kStripes]; }

  std::array<Stripe, kStripes> stripes_;
};

}  // namespace sluice::limit
