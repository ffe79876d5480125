#include "control-plane/provision/target.h"

#include <algorithm>
#include <cmath>

#include "control-plane/provision/driver.h"

namespace sluice::provision {

int Recommend(int current, double load, double per_node) {
  const double meant = current * per_node;
  if (current > 0 && std::abs(load - meant) <= kTolerance * meant) return current;
  const double count = std::ceil(std::min(load / per_node, static_cast<double>(kMaxNodes)));
  return std::max(1, static_cast<int>(count));
}

void Target::Begin(int current, MonotonicTime now) {
  highest_.clear();
  count_ = bounds_.Clamp(current);
  Recommended(count_, now);
}

void Target::See(double load, MonotonicTime now) {
  Recommended(bounds_.Clamp(Recommend(count_, load, per_node_)), now);
  count_ = highest_.front().second;
}

void Target::Recommended(int count, MonotonicTime now) {
  while (!highest_.empty() && now - highest_.front().first > window_) highest_.pop_front();
  while (!highest_.empty() && highest_.back().second <= count) highest_.pop_back();
  highest_.emplace_back(now, count);
}

}  // namespace sluice::provision
