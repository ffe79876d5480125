#include "data-plane/sync/usage_clock.h"

#include <future>
#include <memory>

namespace sluice::sync {

UsageClock::UsageClock(Collect collect, UsageLog& log, Client& client, const Clock& clock)
    : collect_(std::move(collect)), log_(log), client_(client), clock_(clock) {
  thread_ = std::thread([this] { Run(); });
}

UsageClock::~UsageClock() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void UsageClock::Run() {
  bool stopping = false;
  while (!stopping) {
    std::unique_lock lock(mutex_);
    stopping = wake_.wait_for(lock, kMinute, [&] { return stop_; });
    lock.unlock();
    Note();
    log_.Resend();  // what has not been kept for a minute may have been lost
    client_.SendUsage();
  }
  const MonotonicTime until = std::chrono::steady_clock::now() + kGoodbye;
  while (log_.waiting() > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void UsageClock::Note() {
  // Of the callback as well, which may come when nobody waits any more.
  const auto counted = std::make_shared<std::promise<UsageTotals>>();
  std::future<UsageTotals> totals = counted->get_future();
  collect_([counted](UsageTotals found) { counted->set_value(std::move(found)); });
  if (totals.wait_for(kMaxCollect) != std::future_status::ready) return;
  const int64_t seconds = UnixSeconds(clock_.WallNow() - std::chrono::duration_cast<std::chrono::seconds>(kMinute) / 2);
  log_.Note(seconds - seconds % 60, totals.get());
}

}  // namespace sluice::sync
