#pragma once

// The control plane's side of the lease protocol (lease.h) for one cell, without sockets or clocks: reports in, answers
// out. It keeps what every node may hold at most of every gateway that is not at rest, and the slots that nobody holds.
// One thread at a time.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "common/quota/lease.h"

namespace sluice::quota {

class Allocator {
 public:
  // What outlives an allocator: who may hold anything. Made durable before a node learns of it.
  struct Members {
    uint64_t epoch = 0;
    std::vector<std::string> names;  // sorted
    bool guests = false;             // others may hold leases, while they wait to become members
  };
  static constexpr size_t kMaxUnconfirmed = 256;  // answers of a node; then it gets no more until it confirms some

  // `first_epoch` is above every epoch that an allocator of this cell has ever used. `limit_of`: 0 for a gateway that
  // has no limit or is gone. Not before the time that the allocator before has been Confirmed until.
  Allocator(Members committed, uint64_t first_epoch, std::function<uint32_t(const std::string&)> limit_of,
            MonotonicTime now);

  // Who is to share limits. Takes effect in two steps: all nodes prepare, then Proposal has a value. A node that is not
  // connected and not named serves no more: its process has ended, or an operator says so.
  void SetMembers(std::vector<std::string> names, MonotonicTime now);
  // What is to be made durable now, where nobody else has taken over, then confirmed with Commit.
  std::optional<Members> Proposal(MonotonicTime now) const;
  void Commit(Members members);
  // No other allocator of this cell begins before `until`. While that is not so, only members that have started are
  // served: they have safe shares, which every other allocator leaves them.
  void Confirmed(MonotonicTime until) { confirmed_until_ = until; }
  const Members& committed() const { return committed_; }

  void Receive(const std::string& node, const Report& report, MonotonicTime now);
  void Disconnected(const std::string& node);
  // Limits may have changed.
  void SettleAll();

  // What is to be sent now, at most one answer a node. To be called after every report, and several times a second
  // without one.
  std::vector<std::pair<std::string, Answer>> Answers(MonotonicTime now);

  size_t leases() const { return gateways_.size(); }  // gateways that are not at rest

 private:
  struct Sent {
    uint64_t sequence;
    MonotonicTime at;
  };
  struct Node {
    bool connected = false;
    bool known = false;  // has said what it holds, to this allocator
    bool fresh = false;
    bool replaced = false;  // fresh, and a process of the same name may have admitted a moment ago
    std::optional<MonotonicTime> starts_at;
    bool answer_due = false;
    bool live = false;   // as of the last Answers
    uint64_t sequence = 0;
    std::deque<Sent> unconfirmed;
    std::optional<MonotonicTime> confirmed_at;  // when the latest confirmed answer was sent
    MonotonicTime echo{};
    MonotonicTime reported_at{};
    MonotonicTime surplus_until{};  // by any answer sent so far
    uint64_t prepared = 0, committed = 0;
    MonotonicTime prepared_at{};
    std::map<std::string, GatewayAnswer> outgoing;
  };
  struct Grant {
    uint64_t sequence;
    uint32_t count;
  };
  struct Share {
    uint32_t reported = 0;
    std::deque<Grant> in_flight;
    uint32_t reserved = 0;  // set aside for a node that is not live
    uint32_t keep = ~0u;    // the latest recall; ~0: none
    uint32_t demand = 0;
    bool wants_answer = false;
    uint32_t held() const;  // at most
  };
  struct Gateway {
    std::map<std::string, Share> shares;  // by node
    Slots pool;
    MonotonicTime busy_at{};  // when a demand beyond a safe share was seen
  };

  void Hello(const std::string& name, Node& node, const Report& report, MonotonicTime now);
  void Take(const std::string& name, Node& node, const GatewayReport& report, MonotonicTime now);
  Gateway& Open(const std::string& id, MonotonicTime now);
  uint32_t Safe(const std::string& node, const std::string& gateway, uint32_t limit) const;
  static Basis BasisOf(const Members& members, const std::string& node);
  bool Ready(MonotonicTime now) const;
  bool IsMember(const std::string& node) const;
  bool MayHold(const std::string& node) const;
  bool MayStart(const std::string& name, Node& node, MonotonicTime now) const;
  bool AllKnown() const;
  bool Settled(MonotonicTime now) const;
  void DropStrangers(MonotonicTime now);
  void UpdateLiveness(MonotonicTime now);

  // allocation.cc: one gateway.
  void Settle(const std::string& id, Gateway& gateway, MonotonicTime now);
  void CollectLost(const std::string& id, Gateway& gateway, uint32_t limit, MonotonicTime now);
  void Reserve(const std::string& id, Gateway& gateway, uint32_t limit);
  void Balance(const std::string& id, Gateway& gateway, uint32_t limit, MonotonicTime now);
  void Give(const std::string& id, Gateway& gateway, const std::map<std::string, uint32_t>& targets, MonotonicTime now);
  void Recall(const std::string& id, Gateway& gateway, const std::map<std::string, uint32_t>& targets, uint32_t need);
  std::map<std::string, uint32_t> Targets(const std::string& id, const Gateway& gateway, uint32_t limit) const;
  bool AtRest(const std::string& id, const Gateway& gateway, uint32_t limit) const;
  void Forget(const std::string& id, const Gateway& gateway);
  GatewayAnswer& Tell(const std::string& node, const std::string& gateway);

  Answer Compose(const std::string& name, Node& node, MonotonicTime now);

  const std::function<uint32_t(const std::string&)> limit_of_;
  Members committed_;
  std::optional<Members> proposed_;
  MonotonicTime proposed_at_{};
  uint64_t next_epoch_;
  MonotonicTime settles_at_;  // if all members are known
  MonotonicTime last_hello_;
  MonotonicTime confirmed_until_{};
  bool confirmed_ = false;  // as of the last Answers
  std::map<std::string, Node> nodes_;
  absl::flat_hash_map<std::string, Gateway> gateways_;
  absl::flat_hash_set<std::string> dirty_;
  MonotonicTime next_sweep_{};  // of what may go back to rest
};

}  // namespace sluice::quota
