#include "data-plane/proxy/loading.h"

#include <algorithm>
#include <utility>

namespace sluice::proxy {

// Lives in the frame that waits, and goes with it.
class Loading::Waiter {
 public:
  Waiter(Loading& loading, const std::string& gateway_id)
      : event(loading.loop_), loading_(loading), gateway_id_(gateway_id) {
    ++loading_.waiting_;
    loading_.waiters_[gateway_id_].push_back(this);
  }
  ~Waiter() {
    --loading_.waiting_;
    const auto waiters = loading_.waiters_.find(gateway_id_);
    std::erase(waiters->second, this);
    if (waiters->second.empty()) loading_.waiters_.erase(waiters);
  }
  Waiter(const Waiter&) = delete;

  io::Event event;

 private:
  Loading& loading_;
  const std::string& gateway_id_;
};

io::Task<Loading::Outcome> Loading::Wait(std::string gateway_id, MonotonicTime deadline) {
  if (waiting_ >= most_) co_return Outcome::kFull;
  // Asked for by each, since what was under way may be so no longer; it is sent once.
  if (loader_ == nullptr || !loader_->Load(gateway_id)) co_return Outcome::kAway;
  Waiter waiter(*this, gateway_id);
  const bool woken = co_await waiter.event.Wait(deadline);
  co_return woken ? Outcome::kNews : Outcome::kTimeout;
}

void Loading::Wake(const std::string& gateway_id) {
  if (waiting_ == 0) return;
  const auto waiters = waiters_.find(gateway_id);
  if (waiters == waiters_.end()) return;
  for (Waiter* waiter : waiters->second) waiter->event.Set();
}

}  // namespace sluice::proxy
