#include "control-plane/sync/peers.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "common/base/check.h"
#include "common/observe/log.h"
#include "sluice/sync/v1/replicas.pb.h"

namespace sluice::sync {
namespace {

using SteadyClock = std::chrono::steady_clock;

store::ConnectedNode ToRecord(const NodeStatus& node) {
  v1::Rejections rejections;
  for (const auto& [gateway, update] : node.rejected) {
    v1::Rejected& rejected = *rejections.add_rejected();
    rejected.set_gateway_id(gateway);
    rejected.set_revision(update.revision);
    rejected.set_reason(update.reason);
    rejected.set_message(update.message);
  }
  return {"",           node.name,      node.build,     node.address,
          node.applied, node.connected, node.last_seen, rejections.SerializeAsString(), node.scope};
}

NodeStatus FromRecord(const store::ConnectedNode& record, const std::string& replica) {
  NodeStatus node{replica, record.name, record.build, record.address, record.applied, record.connected,
                  record.last_seen, {},          record.scope};
  v1::Rejections rejections;
  if (!rejections.ParseFromString(record.rejected)) return node;  // a later version's: what it applied is known
  for (const v1::Rejected& rejected : rejections.rejected()) {
    node.rejected[rejected.gateway_id()] = {rejected.gateway_id(), rejected.revision(), rejected.reason(),
                                            rejected.message()};
  }
  return node;
}

bool Same(const store::ConnectedNode& a, const store::ConnectedNode& b) {
  return a.applied == b.applied && a.connected == b.connected && a.rejected == b.rejected;
}

}  // namespace

Peers::Peers(std::unique_ptr<store::Replicas> replicas, store::ReplicaRecord self, index::Index& index,
             Registry& registry)
    : replicas_(std::move(replicas)),
      self_(std::move(self)),
      index_(index),
      registry_(registry),
      bell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  SLUICE_CHECK(bell_ >= 0);
  const auto changed = [this] {
    changed_ = true;
    if (!alone_) Wake();
  };
  const auto ask = [this] {
    asked_ = true;
    Wake();
  };
  registry_.Follow(ask, changed);
  watch_ = index_.Watch(changed);
  Report();  // the others know of this replica before a node can connect to it
  Read();
  thread_ = std::thread([this] { Run(); });
}

Peers::~Peers() {
  index_.Unwatch(watch_);
  registry_.Follow(nullptr, nullptr);
  stop_ = true;
  Wake();
  thread_.join();
  close(bell_);
}

void Peers::Wake() {
  const uint64_t one = 1;
  (void)!write(bell_, &one, sizeof one);  // a full counter wakes as well
}

void Peers::Run() {
  MonotonicTime heartbeat{}, not_before{};
  while (!stop_) {
    const MonotonicTime now = SteadyClock::now();
    const bool due = now >= heartbeat;
    if (due || (changed_ && !alone_ && now >= not_before)) {
      const bool reported = Report();
      heartbeat = SteadyClock::now() + kHeartbeat;
      not_before = reported ? SteadyClock::now() + kInterval : heartbeat;
    }
    const bool rung = replicas_->Rung();
    if (asked_.exchange(false) || rung || due) Read();
    Wait(changed_ && !alone_ ? std::min(not_before, heartbeat) : heartbeat);
  }
  if (absl::Status status = replicas_->Forget(self_.id, Duration(0)); !status.ok()) {
    log::Info("the other replicas were not told that this one stops", {{"error", std::string(status.message())}});
  }
}

void Peers::Wait(MonotonicTime until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()).count();
  pollfd events[] = {{bell_, POLLIN, 0}, {replicas_->descriptor(), POLLIN, 0}};
  if (left > 0 && !asked_ && !stop_) poll(events, 2, static_cast<int>(left));
  uint64_t count;
  (void)!read(bell_, &count, sizeof count);
}

bool Peers::Report() {
  changed_ = false;           // what changes from here on is in the next report too
  self_.head = index_.head();  // before the nodes: whoever comes later is sent everything up to it
  std::map<std::string, store::ConnectedNode> now;
  std::vector<store::ConnectedNode> put;
  std::vector<std::string> gone;
  for (const NodeStatus& node : registry_.LocalNodes()) {
    const auto record = now.emplace(node.name, ToRecord(node)).first;
    const auto before = reported_.find(node.name);
    if (before == reported_.end() || !Same(before->second, record->second)) put.push_back(record->second);
  }
  for (const auto& [name, record] : reported_) {
    if (!now.contains(name)) gone.push_back(name);
  }
  const absl::StatusOr<bool> fresh = replicas_->Report(self_, put, gone);
  if (!fresh.ok()) {
    changed_ = true;
    return false;
  }
  const bool incomplete = *fresh && put.size() < now.size();  // the database has lost what was reported before
  reported_ = incomplete ? std::map<std::string, store::ConnectedNode>() : std::move(now);
  if (incomplete) return Report();
  if (SteadyClock::now() >= forget_at_) {
    forget_at_ = SteadyClock::now() + kForgetAge;
    replicas_->Forget(self_.id, kForgetAge).IgnoreError();  // the next one does
  }
  return true;
}

void Peers::Read() {
  const uint64_t question = registry_.question();
  const absl::StatusOr<store::OtherReplicas> read = replicas_->Others(self_.id, kExpiry);
  if (!read.ok()) {
    asked_ = registry_.question() > question;
    return;
  }
  std::map<std::string, OtherReplica> others;  // by id
  for (const store::ReplicaRecord& replica : read->replicas) {
    others[replica.id] = {replica.address.empty() ? replica.id : replica.address, replica.head, {}};
  }
  for (const store::ConnectedNode& node : read->nodes) {
    OtherReplica& replica = others[node.replica];
    replica.nodes.push_back(FromRecord(node, replica.address));
  }
  if (others.empty() != alone_.exchange(others.empty())) {
    log::Info(others.empty() ? "this replica of the control plane is alone" : "there are other replicas",
              {{"others", std::to_string(others.size())}});
  }
  std::vector<OtherReplica> listed;
  for (auto& [id, replica] : others) listed.push_back(std::move(replica));
  registry_.SetOthers(std::move(listed), question);
}

}  // namespace sluice::sync
