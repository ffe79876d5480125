#pragma once

// How many nodes a load asks for, between bounds: the arithmetic of Kubernetes' horizontal autoscaler. Values; not for
// several threads.

#include <deque>
#include <utility>

#include "common/base/clock.h"

namespace sluice::provision {

inline constexpr double kTolerance = 0.1;  // a load this close to what the nodes are meant for changes nothing
inline constexpr Duration kStabilization = std::chrono::seconds(300);

struct Bounds {
  int min = 0;
  int max = 0;
  int Clamp(int count) const { return count < min ? min : count > max ? max : count; }
};

// For `load` over all of `current` nodes, each meant for `per_node` of it (above 0). At least 1.
int Recommend(int current, double load, double per_node);

// Up at once; down only to the highest recommendation of the last `window`.
class Target {
 public:
  Target(Bounds bounds, double per_node, Duration window = kStabilization)
      : bounds_(bounds), per_node_(per_node), window_(window) {}

  // From how many there are: they are kept for a window, as if they had been recommended just now.
  void Begin(int current, MonotonicTime now);
  // The load, as of now.
  void See(double load, MonotonicTime now);
  int count() const { return count_; }

 private:
  void Recommended(int count, MonotonicTime now);

  const Bounds bounds_;
  const double per_node_;
  const Duration window_;
  int count_ = 0;
  std::deque<std::pair<MonotonicTime, int>> highest_;  // of the window: times ascend, counts descend; max - min + 1
};

}  // namespace sluice::provision
