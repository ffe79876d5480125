#pragma once

// The nodes that are connected, and how far each has got: to this replica as its streams say, to others as these have
// reported (peers.h). Read by the admin services; callable from every thread.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "control-plane/store/scope.h"

namespace sluice::sync {

inline constexpr size_t kMaxRejectedKept = 1000;  // of a node; further ones are not kept
inline constexpr size_t kMaxReasonBytes = 64;     // longer ones are cut off between two characters
inline constexpr size_t kMaxMessageBytes = 1024;

struct RejectedUpdate {
  std::string gateway_id;
  int64_t revision = 0;
  std::string reason;
  std::string message;
  int64_t superseded_by = 0;  // revision of a newer update that was sent; 0: none
};

struct NodeStatus {
  std::string replica;  // the address of the other replica that it is connected to; "": this one
  std::string name;
  std::string build;
  std::string address;
  int64_t applied = 0;
  WallTime connected;
  WallTime last_seen;
  std::map<std::string, RejectedUpdate> rejected;  // by gateway, the latest
  store::Scope scope = store::Scope::OfCell(store::kDefaultCell);
};

// Another replica. When its index was at `head`, no node was connected to it that is not among `nodes`.
struct OtherReplica {
  std::string address;
  int64_t head = 0;
  std::vector<NodeStatus> nodes;
};

// Where one change stands.
struct RolloutStatus {
  std::vector<std::string> applied;  // node names
  std::vector<std::string> pending;  // and replicas of which it is not known yet who is connected: "control plane ..."
  std::vector<std::pair<std::string, RejectedUpdate>> rejected;
};

class Registry {
 public:
  // `serves`: whether nodes of a scope serve a gateway; these alone count in its rollouts. Called under this object's
  // lock.
  using Serves = std::function<bool(const std::string& gateway_id, const store::Scope& scope)>;
  explicit Registry(Serves serves = [](const std::string&, const store::Scope& scope) { return scope.is_cell(); })
      : serves_(std::move(serves)) {}

  void Connected(const NodeStatus& node);
  void Disconnected(const std::string& node);
  void Applied(const std::string& node, int64_t revision, WallTime now);
  void Rejected(const std::string& node, RejectedUpdate update, WallTime now);
  // An update of the gateway went to the node: once it is applied, an older rejection is history.
  void Sent(const std::string& node, const std::string& gateway_id, int64_t revision);

  std::vector<NodeStatus> LocalNodes() const;
  // Of every replica; a node that two of them list is named once, as the later connection has it.
  std::vector<NodeStatus> Nodes() const;
  size_t other_replicas() const;

  // There may be other replicas: `ask` is called (under the lock, and must not wait) when somebody needs to know of
  // them, and `changed` when a node of this one has got further. The hooks are taken back with null ones.
  void Follow(std::function<void()> ask, std::function<void()> changed);
  // The number of the latest question. To be read before the others are; answered with what they are.
  uint64_t question() const;
  void SetOthers(std::vector<OtherReplica> others, uint64_t question);

  // Of the change of that gateway with that revision. A rejection of it (or of a later one) counts as rejected.
  RolloutStatus Rollout(const std::string& gateway_id, int64_t revision) const;
  // Returns when no connected node of any replica is pending, as known after the call, or at the deadline.
  RolloutStatus WaitRollout(const std::string& gateway_id, int64_t revision, MonotonicTime deadline);
  // Returns when anything changed after `seen` (a counter that starts at 0), or at the deadline; the counter now.
  uint64_t WaitChange(uint64_t seen, MonotonicTime deadline) const;

 private:
  RolloutStatus RolloutLocked(const std::string& gateway_id, int64_t revision) const;
  void Changed();
  void LocalChanged();
  uint64_t Ask();

  const Serves serves_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::string, NodeStatus> nodes_;
  std::vector<OtherReplica> others_;
  std::function<void()> ask_;  // null: there are no others
  std::function<void()> local_changed_;
  uint64_t question_ = 0;
  uint64_t answered_ = 0;  // the question that others_ answers
  uint64_t changes_ = 0;
};

}  // namespace sluice::sync
