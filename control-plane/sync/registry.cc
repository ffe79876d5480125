#include "control-plane/sync/registry.h"

#include <algorithm>

#include "common/schema/text.h"

namespace sluice::sync {
namespace {

// Where one change stands on one node, the worse the later.
enum class Stand { kApplied, kRejected, kPending };

struct Standing {
  Stand stand = Stand::kApplied;
  const RejectedUpdate* rejected = nullptr;
};

// Of two connections of the same node, which one is gone is not known here: it counts as far as it is on both.
void Add(const NodeStatus& node, const std::string& gateway_id, int64_t revision,
         std::map<std::string, Standing>& standings) {
  Standing standing{node.applied >= revision ? Stand::kApplied : Stand::kPending};
  const auto rejected = node.rejected.find(gateway_id);
  if (rejected != node.rejected.end() && rejected->second.revision >= revision) {
    standing = {Stand::kRejected, &rejected->second};
  }
  Standing& known = standings[node.name];
  if (standing.stand >= known.stand) known = standing;
}

}  // namespace

void Registry::Changed() {
  ++changes_;
  changed_.notify_all();
}

void Registry::LocalChanged() {
  Changed();
  if (local_changed_) local_changed_();
}

void Registry::Connected(const NodeStatus& node) {
  std::lock_guard lock(mutex_);
  nodes_[node.name] = node;
  LocalChanged();
}

void Registry::Disconnected(const std::string& node) {
  std::lock_guard lock(mutex_);
  if (nodes_.erase(node) > 0) LocalChanged();
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
  LocalChanged();
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
  LocalChanged();
}

void Registry::Sent(const std::string& node, const std::string& gateway_id, int64_t revision) {
  std::lock_guard lock(mutex_);
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) return;
  const auto rejected = found->second.rejected.find(gateway_id);
  if (rejected != found->second.rejected.end()) rejected->second.superseded_by = revision;
}

std::vector<NodeStatus> Registry::LocalNodes() const {
  std::lock_guard lock(mutex_);
  std::vector<NodeStatus> nodes;
  for (const auto& [name, status] : nodes_) nodes.push_back(status);
  return nodes;
}

std::vector<NodeStatus> Registry::Nodes() const {
  std::lock_guard lock(mutex_);
  std::map<std::string, NodeStatus> latest = nodes_;
  for (const OtherReplica& other : others_) {
    for (const NodeStatus& node : other.nodes) {
      const auto [known, is_new] = latest.try_emplace(node.name, node);
      if (!is_new && known->second.connected < node.connected) known->second = node;
    }
  }
  std::vector<NodeStatus> nodes;
  for (auto& [name, status] : latest) nodes.push_back(std::move(status));
  return nodes;
}

size_t Registry::other_replicas() const {
  std::lock_guard lock(mutex_);
  return others_.size();
}

void Registry::Follow(std::function<void()> ask, std::function<void()> changed) {
  std::lock_guard lock(mutex_);
  ask_ = std::move(ask);
  local_changed_ = std::move(changed);
}

uint64_t Registry::question() const {
  std::lock_guard lock(mutex_);
  return question_;
}

void Registry::SetOthers(std::vector<OtherReplica> others, uint64_t question) {
  std::lock_guard lock(mutex_);
  others_ = std::move(others);
  answered_ = std::max(answered_, question);
  Changed();
}

// The question that has to be answered before the others are known as they are now.
uint64_t Registry::Ask() {
  if (!ask_) return 0;
  ask_();
  return ++question_;
}

RolloutStatus Registry::RolloutLocked(const std::string& gateway_id, int64_t revision) const {
  RolloutStatus rollout;
  std::map<std::string, Standing> standings;
  const auto add = [&](const NodeStatus& node) {
    if (serves_(gateway_id, node.scope)) Add(node, gateway_id, revision, standings);
  };
  for (const auto& [name, status] : nodes_) add(status);
  for (const OtherReplica& other : others_) {
    for (const NodeStatus& node : other.nodes) add(node);
    if (other.head < revision) rollout.pending.push_back("control plane " + other.address);
  }
  for (const auto& [name, standing] : standings) {
    if (standing.stand == Stand::kRejected) rollout.rejected.emplace_back(name, *standing.rejected);
    if (standing.stand == Stand::kApplied) rollout.applied.push_back(name);
    if (standing.stand == Stand::kPending) rollout.pending.push_back(name);
  }
  return rollout;
}

RolloutStatus Registry::Rollout(const std::string& gateway_id, int64_t revision) const {
  std::lock_guard lock(mutex_);
  return RolloutLocked(gateway_id, revision);
}

RolloutStatus Registry::WaitRollout(const std::string& gateway_id, int64_t revision, MonotonicTime deadline) {
  std::unique_lock lock(mutex_);
  const uint64_t question = Ask();
  bool in_time = true;
  while (true) {
    RolloutStatus rollout = RolloutLocked(gateway_id, revision);
    const bool known = answered_ >= question;
    if (rollout.pending.empty() && known) return rollout;
    if (!in_time && !known) rollout.pending.push_back("control planes that the database did not tell of");
    if (!in_time) return rollout;
    in_time = changed_.wait_until(lock, deadline) != std::cv_status::timeout;
  }
}

uint64_t Registry::WaitChange(uint64_t seen, MonotonicTime deadline) const {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [&] { return changes_ != seen; });
  return changes_;
}

}  // namespace sluice::sync
