#include "control-plane/sync/usage_keeper.h"

#include <utility>

#include "common/observe/log.h"

namespace sluice::sync {

UsageKeeper::UsageKeeper(store::Store& store) : store_(store), thread_([this] { Run(); }) {}

UsageKeeper::~UsageKeeper() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void UsageKeeper::Add(store::UsageReport report) {
  std::lock_guard lock(mutex_);
  if (queue_.size() >= kMaxQueued) return;
  queue_.push_back(std::move(report));
  changed_.notify_all();
}

void UsageKeeper::OnKept(std::function<void(const store::UsageReport&)> kept) {
  std::lock_guard lock(kept_mutex_);
  kept_ = std::move(kept);
}

void UsageKeeper::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    changed_.wait_until(lock, prune_at_, [&] { return stop_ || !queue_.empty(); });
    if (stop_) return;
    if (std::chrono::steady_clock::now() >= prune_at_) {
      prune_at_ = std::chrono::steady_clock::now() + kPruneInterval;
      lock.unlock();
      store_.PruneUsage().IgnoreError();  // the next one does
      lock.lock();
      continue;
    }
    if (queue_.empty()) continue;
    const store::UsageReport report = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    const bool written = Write(report);
    lock.lock();
    if (written) continue;
    if (queue_.size() < kMaxQueued) queue_.push_front(report);
    changed_.wait_for(lock, kRetryInterval, [&] { return stop_; });
  }
}

// True too where it never will be.
bool UsageKeeper::Write(const store::UsageReport& report) {
  const absl::Status status = store_.AddUsage(report);
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) return false;
  if (!status.ok()) {
    log::Error("a node's usage cannot be kept", {{"node", report.node}, {"error", std::string(status.message())}});
  }
  std::lock_guard lock(kept_mutex_);
  if (kept_) kept_(report);
  return true;
}

}  // namespace sluice::sync
