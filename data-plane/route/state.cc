#include "data-plane/route/state.h"

namespace sluice {

void GatewayState::SetShare(uint32_t requests_per_second) {
  std::shared_ptr<quota::SlidingWindow> window = std::atomic_load(&window_);
  if ((window == nullptr ? 0 : window->limit()) == requests_per_second) return;
  if (requests_per_second == 0) {
    window = nullptr;
  } else if (window == nullptr) {
    window = std::make_shared<quota::SlidingWindow>(requests_per_second);
  } else {
    window = window->Resized(requests_per_second);
  }
  std::atomic_store(&window_, std::move(window));
}

}  // namespace sluice
