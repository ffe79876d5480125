#pragma once

// The way a new configuration takes to the workers: sync posts, every worker's host table swaps, and when the last one
// has, `done` runs (on an unspecified thread). Implemented by proxy's worker group; used by the sync thread.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data-plane/route/gateway.h"

namespace sluice {

struct GatewayChange {
  std::string gateway_id;
  std::shared_ptr<const Gateway> gateway;     // null: not served from now on
  std::shared_ptr<const GatewayHead> head{};  // where it is not: what is known of it; null too: removed
};

class Publisher {
 public:
  virtual ~Publisher() = default;
  virtual void Publish(std::vector<GatewayChange> changes, std::function<void()> done) = 0;
  // Opens readiness: from now on an unknown host is a 404, before it is a 503.
  virtual void SetReady() = 0;
};

}  // namespace sluice
