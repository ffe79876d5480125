#include "data-plane/sync/wakes.h"

#include <utility>

namespace sluice::sync {

bool Wakes::Load(const std::string& gateway_id) {
  {
    std::lock_guard lock(mutex_);
    asked_.insert(gateway_id);
  }
  wake_.notify_one();
  return true;
}

std::vector<std::string> Wakes::Take() {
  std::lock_guard lock(mutex_);
  std::vector<std::string> ids(asked_.begin(), asked_.end());
  asked_.clear();
  return ids;
}

bool Wakes::Await(MonotonicTime until) {
  std::unique_lock lock(mutex_);
  wake_.wait_until(lock, until, [&] { return stopped_ || !asked_.empty(); });
  return !stopped_;
}

void Wakes::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
}

}  // namespace sluice::sync
