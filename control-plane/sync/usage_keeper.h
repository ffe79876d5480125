#pragma once

// Writes the usage that nodes report to the store, on a thread of its own, so that streams never wait for the database,
// and says which reports it has. One that does not fit is dropped: its node sends it again. Prunes what is old.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "control-plane/store/store.h"

namespace sluice::sync {

class UsageKeeper {
 public:
  static constexpr size_t kMaxQueued = 256;  // reports
  static constexpr auto kRetryInterval = std::chrono::seconds(1);
  static constexpr auto kPruneInterval = std::chrono::hours(1);

  explicit UsageKeeper(store::Store& store);
  ~UsageKeeper();  // writes no more
  UsageKeeper(const UsageKeeper&) = delete;

  void Add(store::UsageReport report);
  // Called on the keeper's thread with each report that the store has, also with one that it had before. Null: nobody
  // is; a call under way has returned then.
  void OnKept(std::function<void(const store::UsageReport&)> kept);

 private:
  void Run();
  bool Write(const store::UsageReport& report);

  store::Store& store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<store::UsageReport> queue_;
  bool stop_ = false;
  std::mutex kept_mutex_;
  std::function<void(const store::UsageReport&)> kept_;
  MonotonicTime prune_at_{};  // the thread's
  std::thread thread_;
};

}  // namespace sluice::sync
