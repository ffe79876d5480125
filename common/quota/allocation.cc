// What the allocator does for one gateway: finds out who may hold how much, and moves slots to where they are wanted.

#include <algorithm>

#include "common/quota/allocator.h"
#include "common/quota/fair.h"

namespace sluice::quota {
namespace {

// What a node without demand keeps, or has before it becomes a member, so that a first request need not ask: one slot
// in 50, at least one.
constexpr uint32_t kStandingPart = 50;

}  // namespace

uint32_t Allocator::Share::held() const {
  uint32_t sum = reported + reserved;
  for (const Grant& grant : in_flight) sum += grant.count;
  return sum;
}

void Allocator::Settle(const std::string& id, Gateway& gateway, MonotonicTime now) {
  const uint32_t limit = limit_of_(id);
  if (limit == 0) return Forget(id, gateway);
  CollectLost(id, gateway, limit, now);
  Reserve(id, gateway, limit);
  Balance(id, gateway, limit, now);
  if (now >= gateway.busy_at + kRestAfter && AtRest(id, gateway, limit)) Forget(id, gateway);
}

// Surplus that has ended, and slots that neither a node holds nor the pool: what a node gave back unheard.
void Allocator::CollectLost(const std::string& id, Gateway& gateway, uint32_t limit, MonotonicTime now) {
  uint32_t held = 0;
  for (auto& [name, share] : gateway.shares) {
    const Node& node = nodes_.at(name);
    if (node.live) share.reserved = 0;
    const uint32_t safe = Safe(name, id, limit);
    if (!node.live && share.held() > safe && now >= node.surplus_until + kWindow + kClockMargin) {
      gateway.pool.Add(share.held() - safe, now);
      share = Share{.reported = safe, .demand = share.demand};
    }
    held += share.held();
  }
  const uint32_t accounted = held + gateway.pool.count();
  if (accounted > limit) {
    gateway.pool.DropLast(accounted - limit);
  } else if (accounted < limit && Settled(now) && !committed_.names.empty()) {
    gateway.pool.Add(limit - accounted, now + kWindow + kClockMargin);
  }
}

// A node that is not live may take back what it lacks at any time.
void Allocator::Reserve(const std::string& id, Gateway& gateway, uint32_t limit) {
  for (auto& [name, share] : gateway.shares) {
    const uint32_t safe = Safe(name, id, limit);
    if (nodes_.at(name).live || share.held() >= safe) continue;
    share.reserved += gateway.pool.TakeFirst(safe - share.held()).count();
  }
}

std::map<std::string, uint32_t> Allocator::Targets(const std::string& id, const Gateway& gateway,
                                                   uint32_t limit) const {
  std::map<std::string, uint32_t> targets;
  std::vector<std::string> live;
  std::vector<Claim> claims;
  uint32_t fixed = 0;
  for (const auto& [name, share] : gateway.shares) {
    const uint32_t safe = Safe(name, id, limit);
    if (nodes_.at(name).live) {
      live.push_back(name);
      const uint32_t standing = std::max(1u, limit / kStandingPart);
      claims.push_back({std::min(share.demand, limit), IsMember(name) ? std::min(safe, standing) : standing});
    } else {
      targets[name] = std::max(share.held(), safe);
      fixed += targets[name];
    }
  }
  uint32_t left = limit - std::min(limit, fixed);
  const std::vector<uint32_t> shares = MaxMinShares(left, claims);
  for (uint32_t share : shares) left -= share;
  for (size_t i = 0; i < live.size(); ++i) {  // what nobody asks for stays where it is
    const uint32_t held = gateway.shares.at(live[i]).held();
    const uint32_t more = std::min(left, held - std::min(held, shares[i]));
    targets[live[i]] = shares[i] + more;
    left -= more;
  }
  return targets;
}

void Allocator::Balance(const std::string& id, Gateway& gateway, uint32_t limit, MonotonicTime now) {
  bool busy = false;
  for (const auto& [name, share] : gateway.shares) {
    busy = busy || (nodes_.at(name).live && share.demand > Safe(name, id, limit));
  }
  if (busy) gateway.busy_at = now;
  std::map<std::string, uint32_t> targets;
  if (now < gateway.busy_at + kRestAfter) {
    targets = Targets(id, gateway, limit);
  } else {
    for (const auto& [name, share] : gateway.shares) targets[name] = Safe(name, id, limit);
  }
  Give(id, gateway, targets, now);
  uint32_t need = 0, held = 0;
  for (const auto& [name, share] : gateway.shares) {
    need += targets[name] - std::min(targets[name], share.held());
    held += share.held();
  }
  need += held - std::min(held, limit);
  if (need > 0) Recall(id, gateway, targets, need);
  uint32_t recalled = 0;
  for (const auto& [name, share] : gateway.shares) recalled += share.held() - std::min(share.held(), share.keep);
  for (auto& [name, share] : gateway.shares) {
    if (!std::exchange(share.wants_answer, false)) continue;
    Tell(name, id).pending = recalled > 0 && share.held() < targets[name];
  }
}

void Allocator::Give(const std::string& id, Gateway& gateway, const std::map<std::string, uint32_t>& targets,
                     MonotonicTime now) {
  for (auto& [name, share] : gateway.shares) {
    Node& node = nodes_.at(name);
    const uint32_t target = targets.at(name);
    if (!node.live || share.held() >= target || gateway.pool.count() == 0) continue;
    const Slots slots = gateway.pool.TakeFirst(target - share.held());
    Tell(name, id).granted = slots.Write(now);
    share.in_flight.push_back({node.sequence + 1, slots.count()});
    share.keep = ~0u;
  }
}

// From those that have most to spare; what was recalled before and has not come yet counts.
void Allocator::Recall(const std::string& id, Gateway& gateway, const std::map<std::string, uint32_t>& targets,
                       uint32_t need) {
  std::vector<std::pair<uint32_t, std::string>> spare;
  for (const auto& [name, share] : gateway.shares) {
    if (!nodes_.at(name).live) continue;
    const uint32_t held = std::min(share.held(), share.keep);
    need -= std::min(need, share.held() - held);
    if (held > targets.at(name)) spare.emplace_back(held - targets.at(name), name);
  }
  std::sort(spare.rbegin(), spare.rend());
  for (const auto& [excess, name] : spare) {
    if (need == 0) return;
    Share& share = gateway.shares[name];
    const uint32_t part = std::min(excess, need);
    share.keep = std::min(share.held(), share.keep) - part;
    need -= part;
    Tell(name, id);
  }
}

// A node that has not started has nothing of its own to go back to.
bool Allocator::AtRest(const std::string& id, const Gateway& gateway, uint32_t limit) const {
  return std::all_of(gateway.shares.begin(), gateway.shares.end(), [&](const auto& entry) {
    const Share& share = entry.second;
    const Node& node = nodes_.at(entry.first);
    if (node.connected && node.fresh) return false;
    return share.held() == Safe(entry.first, id, limit) && share.in_flight.empty() && share.keep == ~0u;
  });
}

// Erases the gateway: `gateway` is gone afterwards.
void Allocator::Forget(const std::string& id, const Gateway& gateway) {
  for (const auto& [name, share] : gateway.shares) {
    if (nodes_.at(name).connected) Tell(name, id).rest = true;
  }
  gateways_.erase(id);
}

}  // namespace sluice::quota
