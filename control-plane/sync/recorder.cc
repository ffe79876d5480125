#include "control-plane/sync/recorder.h"

#include <utility>

#include "common/observe/log.h"

namespace sluice::sync {

Recorder::Recorder(store::Store& store) : store_(store), thread_([this] { Run(); }) {}

Recorder::~Recorder() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Recorder::Seen(const store::NodeRecord& node) {
  std::lock_guard lock(mutex_);
  if (pending_.size() >= kMaxPending && !pending_.contains(node.name)) return;
  Note(node);
  changed_.notify_all();
}

// The later record counts, and that a node arrived does until it is written.
void Recorder::Note(store::NodeRecord node) {
  store::NodeRecord& kept = pending_.try_emplace(node.name, node).first->second;
  node.arrived = node.arrived || kept.arrived;
  if (node.last_seen >= kept.last_seen) {
    kept = std::move(node);
  } else {
    kept.arrived = node.arrived;
  }
}

void Recorder::Run() {
  bool stopping = false;
  while (!stopping) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, purge_at_, [&] { return stop_ || !pending_.empty(); });
    }
    Flush();
    Purge();
    std::unique_lock lock(mutex_);
    stopping = changed_.wait_for(lock, kInterval, [&] { return stop_; });
  }
  Flush();
}

void Recorder::Purge() {
  if (std::chrono::steady_clock::now() < purge_at_) return;
  purge_at_ = std::chrono::steady_clock::now() + kPurgeInterval;
  const auto purged = store_.PurgeTombstones(store::kTombstoneAge, store::kMaxTombstones);
  if (purged.ok() && *purged > 0) log::Info("old removals were forgotten", {{"count", std::to_string(*purged)}});
}

void Recorder::Flush() {
  std::map<std::string, store::NodeRecord> batch;
  {
    std::lock_guard lock(mutex_);
    batch.swap(pending_);
  }
  while (!batch.empty()) {
    if (!store_.PutNode(batch.begin()->second).ok()) break;
    batch.erase(batch.begin());
  }
  std::lock_guard lock(mutex_);
  for (auto& [name, node] : batch) Note(std::move(node));
}

}  // namespace sluice::sync
