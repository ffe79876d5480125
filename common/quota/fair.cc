#include "common/quota/fair.h"

#include <algorithm>
#include <numeric>

namespace sluice::quota {

std::vector<uint32_t> MaxMinShares(uint32_t capacity, const std::vector<Claim>& claims) {
  std::vector<uint32_t> shares(claims.size(), 0);
  std::vector<size_t> order(claims.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto wanted = [&](size_t i) { return std::max(claims[i].demand, claims[i].floor); };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return wanted(a) < wanted(b); });
  // The most modest first: each takes what it wants up to an even part of what is left.
  size_t left = order.size();
  for (size_t i : order) {
    shares[i] = std::min<uint32_t>(wanted(i), capacity / static_cast<uint32_t>(left--));
    capacity -= shares[i];
  }
  return shares;
}

}  // namespace sluice::quota
