#pragma once

// Once a minute asks what the node has counted, notes it and has it sent. A thread of its own.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "data-plane/sync/client.h"
#include "data-plane/sync/usage_log.h"

namespace sluice::sync {

class UsageClock {
 public:
  static constexpr Duration kMinute = std::chrono::seconds(60);
  static constexpr Duration kMaxCollect = std::chrono::seconds(5);  // for the workers to say what they have counted

  static constexpr Duration kGoodbye = std::chrono::milliseconds(500);  // for the last reports to be kept

  // `collect` calls back once, from any thread. Everything referred to outlives it.
  using Collect = std::function<void(std::function<void(UsageTotals)>)>;
  UsageClock(Collect collect, UsageLog& log, Client& client, const Clock& clock);
  ~UsageClock();  // notes and sends what the minute has had so far
  UsageClock(const UsageClock&) = delete;

 private:
  void Run();
  void Note();

  const Collect collect_;
  UsageLog& log_;
  Client& client_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sluice::sync
