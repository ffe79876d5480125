#include "control-plane/sync/registry.h"

#include <algorithm>

#include "common/schema/text.h"

namespace sluice::sync {

void Registry::Changed() {
  ++changes_;
  changed_.notify_all();
}

void Registry::Connected(const NodeStatus& node) {
  std::lock_guard lock(mutex_);
  nodes_[node.name] = node;
  Changed();
}

void Registry::Disconnected(const std::string& node) {
  std::lock_guard lock(mutex_);
  if (nodes_.erase(node) > 0) Changed();
}

void Registry::Applied(const std::string& node, int64_t revision, WallTime now) {
  std::lock_guard lock(mutex_);
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) return;
  NodeStatus& status = found->second;
  status.applied = std::max(status.applied, revision);
  status.last_seen = now;
  std::erase_if(status.rejected, [&](const auto& entry) {
    return entry.second.superseded_by != 0 && entry.second.superseded_by <= status.applied;
  });
  Changed();
}

void Registry::Rejected(const std::string& node, RejectedUpdate update, WallTime now) {
  std::lock_guard lock(mutex_);
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) return;
  NodeStatus& status = found->second;
  status.last_seen = now;
  const bool known = status.rejected.contains(update.gateway_id);
  if (!known && status.rejected.size() >= kMaxRejectedKept) return;
  update.reason = schema::Shortened(update.reason, kMaxReasonBytes);
  update.message = schema::Shortened(update.message, kMaxMessageBytes);
  const std::string gateway = update.gateway_id;
  status.rejected[gateway] = std::move(update);
  Changed();
}

void Registry::Sent(const std::string& node, const std::string& gateway_id, int64_t revision) {
  std::lock_guard lock(mutex_);
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) return;
  const auto rejected = found->second.rejected.find(gateway_id);
  if (rejected != found->second.rejected.end()) rejected->second.superseded_by = revision;
}

std::vector<NodeStatus> Registry::Nodes() const {
  std::lock_guard lock(mutex_);
  std::vector<NodeStatus> nodes;
  for (const auto& [name, status] : nodes_) nodes.push_back(status);
  return nodes;
}

RolloutStatus Registry::RolloutLocked(const std::string& gateway_id, int64_t revision) const {
  RolloutStatus rollout;
  for (const auto& [name, status] : nodes_) {
    const auto rejected = status.rejected.find(gateway_id);
    if (rejected != status.rejected.end() && rejected->second.revision >= revision) {
      rollout.rejected.emplace_back(name, rejected->second);
    } else if (status.applied >= revision) {
      rollout.applied.push_back(name);
    } else {
      rollout.pending.push_back(name);
    }
  }
  return rollout;
}

RolloutStatus Registry::Rollout(const std::string& gateway_id, int64_t revision) const {
  std::lock_guard lock(mutex_);
  return RolloutLocked(gateway_id, revision);
}

RolloutStatus Registry::WaitRollout(const std::string& gateway_id, int64_t revision, MonotonicTime deadline) const {
  std::unique_lock lock(mutex_);
  while (true) {
    RolloutStatus rollout = RolloutLocked(gateway_id, revision);
    if (rollout.pending.empty()) return rollout;
    if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) return RolloutLocked(gateway_id, revision);
  }
}

uint64_t Registry::WaitChange(uint64_t seen, MonotonicTime deadline) const {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [&] { return changes_ != seen; });
  return changes_;
}

}  // namespace sluice::sync
