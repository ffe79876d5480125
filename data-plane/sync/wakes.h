#pragma once

// Gateways at rest that workers were asked for. Asked by every worker; awakened by whoever has the applier.

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "common/base/clock.h"
#include "data-plane/route/gateway_loader.h"

namespace sluice::sync {

// Which gateways rest: those beyond `awake` that nobody has asked for since the node has them, or for so long.
struct RestRules {
  size_t awake = 1000;
  Duration after = std::chrono::minutes(1);
};

class Wakes final : public GatewayLoader {
 public:
  // At most one entry a gateway that the workers know. Always true.
  bool Load(const std::string& gateway_id) override;

  // What was asked for since; never waits.
  std::vector<std::string> Take();
  // Returns when there is something to take, after Stop, or at `until`. False after Stop.
  bool Await(MonotonicTime until);
  void Stop();

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
  absl::flat_hash_set<std::string> asked_;
};

}  // namespace sluice::sync
