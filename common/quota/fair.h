#pragma once

// Max-min fairness: nobody gets more than asked for, and what the modest leave is divided evenly among the others.

#include <cstdint>
#include <vector>

namespace sluice::quota {

struct Claim {
  uint32_t demand = 0;
  uint32_t floor = 0;  // given even without demand, as far as `capacity` reaches
};

// One share a claim, in order; their sum is at most `capacity`.
std::vector<uint32_t> MaxMinShares(uint32_t capacity, const std::vector<Claim>& claims);

}  // namespace sluice::quota
