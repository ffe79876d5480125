#pragma once

// Writes who was seen to the store, seldom: the latest of each node, at most once an interval, on a thread of its own,
// so that streams never wait for the database. What cannot be written is tried again at the next interval. Purges old
// tombstones on the way.

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "control-plane/store/store.h"

namespace sluice::sync {

class Recorder {
 public:
  static constexpr auto kInterval = std::chrono::seconds(10);
  static constexpr auto kPurgeInterval = std::chrono::hours(1);
  static constexpr size_t kMaxPending = 4096;  // nodes; further ones are left out until the next time

  explicit Recorder(store::Store& store);
  ~Recorder();  // writes what is pending once more
  Recorder(const Recorder&) = delete;

  void Seen(const store::NodeRecord& node);

 private:
  void Run();
  void Note(store::NodeRecord node);  // under the lock
  void Flush();
  void Purge();

  store::Store& store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, store::NodeRecord> pending_;
  bool stop_ = false;
  MonotonicTime purge_at_{};  // the thread's
  std::thread thread_;
};

}  // namespace sluice::sync
