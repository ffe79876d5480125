#include "data-plane/balance/target_table.h"

namespace sluice {

std::shared_ptr<TargetState> TargetTable::Get(std::string_view upstream, std::string_view address) {
  std::string key(upstream);
  key += '/';  // in no host name
  key += address;
  std::weak_ptr<TargetState>& known = states_[key];
  std::shared_ptr<TargetState> state = known.lock();
  if (state == nullptr) {
    state = std::make_shared<TargetState>();
    known = state;
  }
  return state;
}

void TargetTable::Sweep() {
  absl::erase_if(states_, [](const auto& entry) { return entry.second.expired(); });
}

}  // namespace sluice
