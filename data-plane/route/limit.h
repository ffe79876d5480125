#pragma once

// Gives a gateway's state its limit.

#include <cstdint>
#include <memory>
#include <string>

#include "data-plane/route/share_keeper.h"
#include "data-plane/route/state.h"

namespace sluice {

// 0: none. Sync thread only.
inline void SetLimit(const std::shared_ptr<GatewayState>& state, const std::string& gateway_id, uint32_t limit) {
  if (state->keeper != nullptr) {
    state->keeper->Attach(gateway_id, state, limit);
  } else {
    state->SetLimit(limit);
  }
}

}  // namespace sluice
