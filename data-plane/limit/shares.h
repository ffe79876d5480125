#pragma once

// The node's part of every gateway's limit: its side of the lease protocol (common/quota/lease.h) over the windows of
// its gateways. Every thread: the sync thread attaches, workers ask for more, the lease client's thread moves slots.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "common/quota/holder.h"
#include "data-plane/route/share_keeper.h"
#include "data-plane/route/state.h"

namespace sluice::limit {

class Shares final : public ShareKeeper, private quota::Windows {
 public:
  static constexpr Duration kMaxGuest = std::chrono::seconds(5);  // then a node is ready with nothing of its own
  static constexpr Duration kWantAgain = std::chrono::milliseconds(50);  // of one gateway

  // `kept`: what a process before this one left on the disk; nullopt: there was none, ever. What that process admitted
  // is not known, hence nothing of its own is used for a second. `keep` makes the bases durable; false: it cannot.
  Shares(const Clock& clock, std::optional<quota::Bases> kept, std::function<bool(const quota::Bases&)> keep);

  std::shared_ptr<GatewayState> StateOf(const std::string& gateway) override;
  void Attach(const std::string& gateway, const std::shared_ptr<GatewayState>& state, uint32_t limit) override;
  void Detach(const std::string& gateway) override;
  bool Rest(const std::string& gateway, uint32_t limit) override;
  void Want(GatewayState& state, MonotonicTime now) override;
  bool SurplusIsValid() const override;

  // Whether requests can be admitted: the node has its shares, or nobody else can have them. A new node waits until it
  // is a member, but no longer than kMaxGuest: one that died and was not removed keeps others out.
  bool Started() const;

  // For the lease client, whose thread alone calls them.
  void Connected();
  void Disconnected();
  std::optional<quota::Report> NextReport();
  bool Receive(const quota::Answer& answer);  // false: end the stream, open another
  bool Tick();                                // the same
  // Returns when something is to be said or done, at the latest at `until`.
  void Wait(MonotonicTime until);
  void Wake();
  // The node admits nothing from now on, and never again.
  void Leave();
  // Takes its part off its disk. Only where somebody is told of it: without a control plane the process after this one
  // has the same part.
  void Forget();

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  struct Entry {
    std::shared_ptr<GatewayState> state;  // null: rests, and nobody wants its slots elsewhere
    uint32_t limit = 0;
    bool served = false;
  };
  // The state of what rests, with its share, none of which was used of late.
  void MakeState(const std::string& gateway, Entry& entry);
  uint32_t Limit(const std::string& gateway) const override;
  uint64_t Asked(const std::string& gateway) const override;
  quota::Slots Resize(const std::string& gateway, uint32_t share, const quota::Slots& more) override;
  void Refresh() override;
  bool Keep(const quota::Bases& bases) override;
  void SetShare(const std::string& gateway, Entry& entry, uint32_t share, const quota::Slots& more,
                quota::Slots* released);
  void Publish();  // what other threads read

  const Clock& clock_;
  const std::function<bool(const quota::Bases&)> keep_;
  const MonotonicTime not_before_;  // for slots of the node's own
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;
  bool left_ = false;
  absl::flat_hash_map<std::string, Entry> entries_;
  quota::Holder holder_;
  std::atomic<int64_t> surplus_until_{0};  // nanoseconds of the monotonic clock
  std::atomic<int64_t> started_at_{kNever};  // the same: when shares may be used
};

}  // namespace sluice::limit
