#include "common/quota/allocator.h"

#include <algorithm>

namespace sluice::quota {

Allocator::Allocator(Members committed, uint64_t first_epoch, std::function<uint32_t(const std::string&)> limit_of,
                     MonotonicTime now)
    : limit_of_(std::move(limit_of)),
      committed_(std::move(committed)),
      next_epoch_(first_epoch),
      settles_at_(committed_.guests ? now + kSurplusLife + kWindow + kClockMargin : now),
      last_hello_(now) {
  for (const std::string& name : committed_.names) nodes_[name];
}

void Allocator::SetMembers(std::vector<std::string> names, MonotonicTime now) {
  std::sort(names.begin(), names.end());
  if (names == (proposed_ ? proposed_->names : committed_.names)) return;
  proposed_ = Members{next_epoch_++, std::move(names)};
  proposed_at_ = now;
}

// Whether everybody has prepared for what is proposed, and what those admitted that leave has left the window. A node
// that stays and is not connected may be serving by the old membership: it blocks.
bool Allocator::Ready(MonotonicTime now) const {
  if (!proposed_) return false;
  if (!committed_.names.empty() && now < proposed_at_ + kWindow + kClockMargin) return false;
  return std::all_of(committed_.names.begin(), committed_.names.end(), [&](const std::string& name) {
    const Node& node = nodes_.at(name);
    if (!node.connected) return !std::binary_search(proposed_->names.begin(), proposed_->names.end(), name);
    return node.prepared >= proposed_->epoch && now >= node.prepared_at + kWindow + kClockMargin;
  });
}

bool Allocator::IsMember(const std::string& node) const {
  return std::binary_search(committed_.names.begin(), committed_.names.end(), node);
}

// Whether the node may be given more than its own. An allocator that may have been replaced knows for certain only of
// nodes that serve by the membership that it knows.
bool Allocator::MayHold(const std::string& node) const {
  if (confirmed_) return IsMember(node) || committed_.guests;
  return IsMember(node) && !nodes_.at(node).fresh && nodes_.at(node).committed == committed_.epoch;
}

std::optional<Allocator::Members> Allocator::Proposal(MonotonicTime now) const {
  Members next = Ready(now) ? *proposed_ : committed_;
  next.guests = std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
    return !std::binary_search(next.names.begin(), next.names.end(), node.first);
  });
  if (next.epoch == committed_.epoch && next.guests == committed_.guests) return std::nullopt;
  return next;
}

void Allocator::Commit(Members members) {
  if (proposed_ && members.epoch == proposed_->epoch) proposed_.reset();
  committed_ = std::move(members);
  for (const std::string& name : committed_.names) {
    nodes_[name];
    for (auto& [id, gateway] : gateways_) gateway.shares[name];
  }
  SettleAll();
}

Basis Allocator::BasisOf(const Members& members, const std::string& node) {
  const auto found = std::lower_bound(members.names.begin(), members.names.end(), node);
  const auto count = static_cast<uint32_t>(members.names.size());
  const bool member = found != members.names.end() && *found == node;
  return Basis{members.epoch, count, member ? static_cast<uint32_t>(found - members.names.begin()) : count};
}

// The most that the node may take for its own. What it has prepared for binds it while it is with this allocator; with
// another one it may be told to prepare for something else.
uint32_t Allocator::Safe(const std::string& name, const std::string& gateway, uint32_t limit) const {
  const auto node = nodes_.find(name);
  if (node == nodes_.end()) return 0;
  const uint32_t safe = SafeShare(limit, BasisOf(committed_, name), gateway);
  if (!proposed_ || !node->second.live || node->second.prepared < proposed_->epoch) return safe;
  return std::min(safe, SafeShare(limit, BasisOf(*proposed_, name), gateway));
}

bool Allocator::AllKnown() const {
  return std::all_of(committed_.names.begin(), committed_.names.end(),
                     [&](const std::string& name) { return nodes_.at(name).known; });
}

// Whether the slots that nobody is known to hold are held by nobody.
bool Allocator::Settled(MonotonicTime now) const {
  return now >= last_hello_ + kRestore || (AllKnown() && now >= settles_at_);
}

Allocator::Gateway& Allocator::Open(const std::string& id, MonotonicTime now) {
  const auto [found, opened] = gateways_.try_emplace(id);
  dirty_.insert(id);
  if (!opened) return found->second;
  found->second.busy_at = now;
  const uint32_t limit = limit_of_(id);
  for (const auto& [name, node] : nodes_) {
    found->second.shares[name].reported = Safe(name, id, limit);
    if (node.connected) Tell(name, id);  // so that a change of the membership does not change what it holds of this one
  }
  return found->second;
}

GatewayAnswer& Allocator::Tell(const std::string& node, const std::string& gateway) {
  GatewayAnswer& answer = nodes_[node].outgoing[gateway];
  answer.id = gateway;
  return answer;
}

void Allocator::Hello(const std::string& name, Node& node, const Report& report, MonotonicTime now) {
  node = Node{};
  node.connected = node.known = true;
  node.fresh = report.fresh;
  node.replaced = report.fresh && IsMember(name);
  node.surplus_until = now + kSurplusLife;  // whoever answered it before
  last_hello_ = now;
  for (auto& [id, gateway] : gateways_) {
    gateway.shares[name] = Share{.reported = report.fresh ? 0 : Safe(name, id, limit_of_(id))};
    Tell(name, id);
    dirty_.insert(id);
  }
}

void Allocator::Take(const std::string& name, Node& node, const GatewayReport& report, MonotonicTime now) {
  if (limit_of_(report.id) == 0) {
    Tell(name, report.id).rest = true;
    return;
  }
  Gateway& gateway = Open(report.id, now);
  Share& share = gateway.shares[name];
  share.reported = report.held;
  const uint64_t seen = node.unconfirmed.empty() ? node.sequence : node.unconfirmed.front().sequence - 1;
  while (!share.in_flight.empty() && share.in_flight.front().sequence <= seen) share.in_flight.pop_front();
  gateway.pool.Add(Slots::Read(report.released, now));
  if (report.held <= share.keep) share.keep = ~0u;
  share.demand = report.demand;
  share.wants_answer = report.demand > report.held;
}

void Allocator::Receive(const std::string& name, const Report& report, MonotonicTime now) {
  Node& node = nodes_[name];
  if (report.hello) Hello(name, node, report, now);
  if (!node.connected) return;
  while (!node.unconfirmed.empty() && node.unconfirmed.front().sequence <= report.seen) {
    node.confirmed_at = node.unconfirmed.front().at;
    node.unconfirmed.pop_front();
  }
  if (report.prepared != node.prepared) node.prepared_at = now;
  node.prepared = report.prepared;
  node.committed = report.committed;
  node.fresh = report.fresh;
  node.echo = report.sent;
  node.reported_at = now;
  node.answer_due = true;
  for (const GatewayReport& gateway : report.gateways) Take(name, node, gateway, now);
}

void Allocator::Disconnected(const std::string& name) {
  if (const auto node = nodes_.find(name); node != nodes_.end()) node->second.connected = false;
}

void Allocator::SettleAll() {
  for (const auto& [id, gateway] : gateways_) dirty_.insert(id);
}

void Allocator::UpdateLiveness(MonotonicTime now) {
  DropStrangers(now);
  const bool confirmed = now < confirmed_until_;
  bool unsettled = !Settled(now) || confirmed != std::exchange(confirmed_, confirmed);
  for (auto& [name, node] : nodes_) {
    const bool live = node.connected && node.confirmed_at && now <= *node.confirmed_at + kSilence &&
                      node.unconfirmed.size() < kMaxUnconfirmed && MayHold(name);
    unsettled = unsettled || !live || live != node.live;
    node.live = live;
  }
  if (unsettled) SettleAll();
}

// Who is no member and has gone holds nothing after a while.
void Allocator::DropStrangers(MonotonicTime now) {
  const auto dropped = std::erase_if(nodes_, [&](const auto& entry) {
    return !entry.second.connected && !IsMember(entry.first) && now >= entry.second.surplus_until + kRestore;
  });
  if (dropped == 0) return;
  for (auto& [id, gateway] : gateways_) {
    std::erase_if(gateway.shares, [&](const auto& share) { return !nodes_.contains(share.first); });
    dirty_.insert(id);
  }
}

// The process before it may have lost its disk along with its life, so it is from here that the window is waited for.
bool Allocator::MayStart(const std::string& name, Node& node, MonotonicTime now) const {
  if (!node.fresh || !MayHold(name) || !Settled(now)) return false;
  if (!node.starts_at) node.starts_at = node.replaced ? now + kWindow + kClockMargin : now;
  return now >= *node.starts_at;
}

Answer Allocator::Compose(const std::string& name, Node& node, MonotonicTime now) {
  Answer answer{.sequence = ++node.sequence, .echo = node.echo};
  node.unconfirmed.push_back({answer.sequence, now});
  answer.start = MayStart(name, node, now);
  answer.extend = node.live && (AllKnown() || Settled(now));
  if (answer.extend) node.surplus_until = node.reported_at + kSurplusLife;
  node.answer_due = false;
  answer.has_commit = confirmed_ && node.committed < committed_.epoch;
  if (answer.has_commit) answer.commit = BasisOf(committed_, name);
  answer.has_prepare = proposed_ && node.prepared < proposed_->epoch;
  if (answer.has_prepare) answer.prepare = BasisOf(*proposed_, name);
  for (auto& [id, entry] : node.outgoing) {
    if (const auto gateway = gateways_.find(id); gateway != gateways_.end()) {
      const Share& share = gateway->second.shares.at(name);
      entry.keep = std::min(share.keep, share.held() - share.reserved);
    }
    answer.gateways.push_back(std::move(entry));
  }
  node.outgoing.clear();
  return answer;
}

std::vector<std::pair<std::string, Answer>> Allocator::Answers(MonotonicTime now) {
  UpdateLiveness(now);
  if (now >= next_sweep_) {
    for (const auto& [id, gateway] : gateways_) {
      if (now >= gateway.busy_at + kRestAfter) dirty_.insert(id);
    }
    next_sweep_ = now + kReportInterval;
  }
  const auto dirty = std::exchange(dirty_, {});
  for (const std::string& id : dirty) {
    if (const auto gateway = gateways_.find(id); gateway != gateways_.end()) Settle(id, gateway->second, now);
  }
  std::vector<std::pair<std::string, Answer>> answers;
  for (auto& [name, node] : nodes_) {
    const bool due = node.answer_due || !node.outgoing.empty();
    if (node.connected && due && node.unconfirmed.size() < kMaxUnconfirmed) {
      answers.emplace_back(name, Compose(name, node, now));
    }
  }
  return answers;
}

}  // namespace sluice::quota
