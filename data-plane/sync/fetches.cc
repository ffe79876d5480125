#include "data-plane/sync/fetches.h"

#include <utility>

namespace sluice::sync {

bool Fetches::Load(const std::string& gateway_id) {
  const MonotonicTime now = clock_.Now();
  {
    std::lock_guard lock(mutex_);
    if (!open_ || !room_ || refused_.contains(gateway_id)) return false;
    const auto known = under_way_.find(gateway_id);
    if (known != under_way_.end() && now < known->second + kAgain) return true;
    if (known == under_way_.end() && under_way_.size() >= kMaxUnderWay) return false;
    under_way_[gateway_id] = now;
    unsent_.push_back(gateway_id);
    ++status_.fetches;
  }
  wake_.notify_all();
  return true;
}

void Fetches::Open() {
  std::lock_guard lock(mutex_);
  open_ = true;
}

void Fetches::Close() {
  std::lock_guard lock(mutex_);
  open_ = false;
  under_way_.clear();
  refused_.clear();
  unsent_.clear();
}

void Fetches::SetRoom(bool room) {
  std::lock_guard lock(mutex_);
  room_ = room;
}

void Fetches::Answered(const std::string& gateway_id, bool refused) {
  std::lock_guard lock(mutex_);
  under_way_.erase(gateway_id);
  if (refused) refused_.insert(gateway_id);
}

void Fetches::Changed(const std::string& gateway_id) {
  std::lock_guard lock(mutex_);
  refused_.erase(gateway_id);
}

std::vector<std::string> Fetches::Take(MonotonicTime until) {
  std::unique_lock lock(mutex_);
  wake_.wait_until(lock, until, [&] { return woken_ || !unsent_.empty(); });
  woken_ = false;
  return std::exchange(unsent_, {});
}

void Fetches::Wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake_.notify_all();
}

}  // namespace sluice::sync
