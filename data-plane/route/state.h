#pragma once

// What of a gateway must survive a change of its configuration: the window, counters in flight, plugins' counters,
// what is known of targets. Shared by all workers of the node, hence atomics, and striped locks held for nanoseconds
// where a key decides (see counters.h).

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "common/quota/sliding_window.h"
#include "data-plane/balance/retry_budget.h"
#include "data-plane/balance/target_table.h"
#include "data-plane/route/counters.h"

namespace sluice {

class ShareKeeper;

class GatewayState {
 public:
  // Of this process, never given twice: what a gateway shares with no other is kept under it.
  const uint64_t serial = NextSerial();

  // The window of this node's share of the gateway's limit. Null: no limit. Loaded once per request.
  std::shared_ptr<quota::SlidingWindow> window() const { return std::atomic_load(&window_); }
  // The limit and all of it, for a node that is alone; 0: no limit. Keeps what was admitted within the last second. One
  // thread at a time changes limit and share.
  void SetLimit(uint32_t requests_per_second);
  // The same with a share that has another size, 0 too: adds `more`, then makes it exactly `share`; hands out in
  // `released`, where that is not null, what does not fit.
  void SetShare(uint32_t limit, uint32_t share, const quota::Slots& more, quota::Slots* released);

  // Of the limit. Set before the state is used by workers; null where the node is alone.
  ShareKeeper* keeper = nullptr;
  std::string id;                         // of the gateway, where there is a keeper
  std::atomic<uint32_t> limit{0};         // of all nodes together
  std::atomic<uint64_t> requests_asked{0};
  std::atomic<bool> has_surplus{false};   // the share is larger than the node's own
  std::atomic<bool> share_pending{false};  // more slots may be on their way
  std::atomic<int64_t> wanted_at{0};      // nanoseconds of the monotonic clock

  std::atomic<int64_t> client_connections{0};
  std::atomic<int64_t> requests_in_flight{0};
  std::atomic<int64_t> upstream_connections{0};
  std::atomic<int64_t> buffered_bytes{0};

  RetryBudget retries;
  TargetTable targets;  // sync thread only

  Counters& plugin_counters() { return plugin_counters_; }

 private:
  static uint64_t NextSerial() {
    static std::atomic<uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  std::shared_ptr<quota::SlidingWindow> window_;
  Counters plugin_counters_;
};

}  // namespace sluice
