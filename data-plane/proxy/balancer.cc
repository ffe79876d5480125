#include "data-plane/proxy/balancer.h"

#include <algorithm>

namespace sluice::proxy {

const Target* Balancer::Pick(const std::string& gateway_id, const Upstream& upstream,
                             const std::vector<const Target*>& tried) {
  Current& current = gateways_[gateway_id][upstream.id];
  if (current.size() != upstream.targets.size()) current.assign(upstream.targets.size(), 0);
  int64_t total = 0;
  size_t best = upstream.targets.size();
  for (size_t i = 0; i < upstream.targets.size(); ++i) {
    const Target& target = upstream.targets[i];
    if (target.weight == 0 || std::find(tried.begin(), tried.end(), &target) != tried.end()) continue;
    current[i] += target.weight;
    total += target.weight;
    if (best == upstream.targets.size() || current[i] > current[best]) best = i;
  }
  if (best == upstream.targets.size()) return nullptr;
  current[best] -= total;
  return &upstream.targets[best];
}

}  // namespace sluice::proxy
