#pragma once

// Where a gateway's targets are remembered from one configuration to the next: by the upstream's name and the target's
// address, never by ids or pointers, which change. A target that no configuration names any more is forgotten. Sync
// thread only; workers reach a state through the compiled target that holds it.

#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "data-plane/balance/target_state.h"

namespace sluice {

class TargetTable {
 public:
  // The one of that target, new and healthy where it is not known. `upstream` in lower case.
  std::shared_ptr<TargetState> Get(std::string_view upstream, std::string_view address);
  // Drops what nobody holds. The table is then as large as the gateways that are still in use make it.
  void Sweep();
  size_t size() const { return states_.size(); }

 private:
  absl::flat_hash_map<std::string, std::weak_ptr<TargetState>> states_;
};

}  // namespace sluice
