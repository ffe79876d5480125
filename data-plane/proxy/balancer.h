#pragma once

// Which target of an upstream comes next: smooth weighted round-robin, so that a target of weight 5 among ones is
// chosen five times in a row by nobody. One per worker; its thread only. Forgotten and begun anew when the gateway
// changes.

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "data-plane/http/fields.h"
#include "data-plane/route/gateway.h"

namespace sluice::proxy {

class Balancer {
 public:
  // The next target that is not in `tried`; null where there is none with a weight.
  const Target* Pick(const std::string& gateway_id, const Upstream& upstream, const std::vector<const Target*>& tried);
  void Forget(const std::string& gateway_id) { gateways_.erase(gateway_id); }

 private:
  using Current = std::vector<int64_t>;  // one a target
  absl::flat_hash_map<std::string, absl::flat_hash_map<std::string, Current>> gateways_;
};

}  // namespace sluice::proxy
