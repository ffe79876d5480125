#include "common/quota/fair.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "catch2/catch.hpp"

namespace sluice::quota {
namespace {

using Shares = std::vector<uint32_t>;

TEST_CASE("who asks for little gets it, and the others share the rest") {
  CHECK(MaxMinShares(100, {{10}, {200}, {300}}) == Shares{10, 45, 45});
  CHECK(MaxMinShares(100, {{10}, {20}, {300}}) == Shares{10, 20, 70});
}

TEST_CASE("nobody gets more than asked for") { CHECK(MaxMinShares(100, {{10}, {20}}) == Shares{10, 20}); }

TEST_CASE("a floor is given without demand") {
  CHECK(MaxMinShares(100, {{0, 2}, {500, 2}}) == Shares{2, 98});
}

TEST_CASE("less than one for each goes to some") {
  const Shares shares = MaxMinShares(2, {{5, 1}, {5, 1}, {5, 1}});
  CHECK(std::accumulate(shares.begin(), shares.end(), 0u) == 2);
}

TEST_CASE("nothing to share and nobody to share it") {
  CHECK(MaxMinShares(0, {{5}, {5}}) == Shares{0, 0});
  CHECK(MaxMinShares(100, {}).empty());
}

TEST_CASE("shares are max-min fair for random claims") {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    const uint32_t capacity = random() % 200;
    std::vector<Claim> claims(1 + random() % 7);
    for (Claim& claim : claims) claim = {static_cast<uint32_t>(random() % 100), static_cast<uint32_t>(random() % 4)};
    const Shares shares = MaxMinShares(capacity, claims);
    const uint32_t sum = std::accumulate(shares.begin(), shares.end(), 0u);
    REQUIRE(sum <= capacity);
    const uint32_t largest = *std::max_element(shares.begin(), shares.end());
    bool all_served = true;
    for (size_t i = 0; i < claims.size(); ++i) {
      const uint32_t wanted = std::max(claims[i].demand, claims[i].floor);
      REQUIRE(shares[i] <= wanted);
      if (shares[i] == wanted) continue;
      all_served = false;
      REQUIRE(shares[i] + 1 >= largest);  // who lacks something has no less than anybody, but for a remainder
    }
    REQUIRE((all_served || sum == capacity));
  }
}

}  // namespace
}  // namespace sluice::quota
