#include "data-plane/route/state.h"

namespace sluice {

void GatewayState::SetLimit(uint32_t requests_per_second) {
  SetShare(requests_per_second, requests_per_second, {}, nullptr);
}

void GatewayState::SetShare(uint32_t new_limit, uint32_t share, const quota::Slots& more, quota::Slots* released) {
  limit = new_limit;
  std::shared_ptr<quota::SlidingWindow> window = std::atomic_load(&window_);
  if (new_limit == 0) {
    window = nullptr;
  } else {
    if (window == nullptr) window = std::make_shared<quota::SlidingWindow>(more.count() == 0 ? share : 0);
    if (more.count() > 0) window = window->Moved(window->limit() + more.count(), more, nullptr);
    if (window->limit() != share) window = window->Moved(share, {}, released);
  }
  std::atomic_store(&window_, std::move(window));
}

}  // namespace sluice
