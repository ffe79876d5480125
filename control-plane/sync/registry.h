#pragma once

// The nodes that are connected to this replica, and how far each has got. Written by the streams, read by the admin
// services; callable from every thread.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"

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
  std::string name;
  std::string build;
  std::string address;
  int64_t applied = 0;
  WallTime connected;
  WallTime last_seen;
  std::map<std::string, RejectedUpdate> rejected;  // by gateway, the latest
};

// Where one change stands.
struct RolloutStatus {
  std::vector<std::string> applied;  // node names
  std::vector<std::string> pending;
  std::vector<std::pair<std::string, RejectedUpdate>> rejected;
};

class Registry {
 public:
  void Connected(const NodeStatus& node);
  void Disconnected(const std::string& node);
  void Applied(const std::string& node, int64_t revision, WallTime now);
  void Rejected(const std::string& node, RejectedUpdate update, WallTime now);
  // An update of the gateway went to the node: once it is applied, an older rejection is history.
  void Sent(const std::string& node, const std::string& gateway_id, int64_t revision);

  std::vector<NodeStatus> Nodes() const;
  // Of the change of that gateway with that revision. A rejection of it (or of a later one) counts as rejected.
  RolloutStatus Rollout(const std::string& gateway_id, int64_t revision) const;
  // Returns when no connected node is pending, or at the deadline.
  RolloutStatus WaitRollout(const std::string& gateway_id, int64_t revision, MonotonicTime deadline) const;
  // Returns when anything changed after `seen` (a counter that starts at 0), or at the deadline; the counter now.
  uint64_t WaitChange(uint64_t seen, MonotonicTime deadline) const;

 private:
  RolloutStatus RolloutLocked(const std::string& gateway_id, int64_t revision) const;
  void Changed();

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::string, NodeStatus> nodes_;
  uint64_t changes_ = 0;
};

}  // namespace sluice::sync
