#include "data-plane/sync/waker.h"

#include <algorithm>
#include <chrono>

namespace sluice::sync {

Waker::Waker(Applier& applier, Wakes& wakes, const RestRules& rules)
    : applier_(applier), wakes_(wakes), interval_(std::min(rules.after, kMaxInterval)), thread_([this] { Run(); }) {}

Waker::~Waker() {
  wakes_.Stop();
  thread_.join();
}

void Waker::Run() {
  MonotonicTime rest_at = std::chrono::steady_clock::now() + interval_;
  while (wakes_.Await(rest_at)) {
    applier_.Awaken();
    if (std::chrono::steady_clock::now() < rest_at) continue;
    applier_.LetRest();
    rest_at = std::chrono::steady_clock::now() + interval_;
  }
}

}  // namespace sluice::sync
