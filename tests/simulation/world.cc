#include "tests/simulation/world.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace sluice::simulation {
namespace {

using std::chrono::milliseconds;

constexpr Duration kOwnerTick = milliseconds(50);
constexpr Duration kOwnership = std::chrono::seconds(3);
constexpr Duration kMaxNotice = std::chrono::seconds(10);  // until a side sees that a connection is broken
constexpr uint64_t kEpochsPerTerm = 1 << 20;

}  // namespace

World::World(uint64_t seed, Network network)
    : random_(seed), network_(network), now_(std::chrono::hours(1000)) {
  TakeOver();
}

World::~World() = default;

void World::Trace(const std::string& who, const std::string& what) const {
  static const bool kOn = std::getenv("SLUICE_TRACE") != nullptr;
  if (!kOn) return;
  std::cerr << static_cast<double>((now_ - MonotonicTime(std::chrono::hours(1000))).count()) / 1e9 << " " << who << ": "
            << what << "\n";
}

void World::At(MonotonicTime time, std::function<void()> action) {
  events_.push({std::max(time, now_), ++order_, std::move(action)});
}

void World::RunFor(Duration time) {
  const MonotonicTime end = now_ + time;
  while (!events_.empty() && events_.top().time <= end) {
    Event event = events_.top();
    events_.pop();
    now_ = event.time;
    event.action();
  }
  now_ = end;
}

Node& World::AddNode(const std::string& name) {
  Node& node = *(nodes_[name] = std::make_unique<Node>(*this, name));
  for (const auto& [gateway, limit] : limits_) node.limits_[gateway] = limit;
  node.Start();
  return node;
}

void World::SetLimit(const std::string& gateway, uint32_t limit) {
  limits_[gateway] = limit;
  for (auto& owner : owners_) owner->allocator->SettleAll();
  for (auto& [name, node] : nodes_) {
    After(Delay() * 20, [this, gateway, limit, name = name] {
      if (nodes_.contains(name) && limits_[gateway] == limit) nodes_[name]->SetLimit(gateway, limit);
    });
  }
}

void World::SetMembers() {
  members_.clear();
  for (const auto& [name, node] : nodes_) {
    if (!node->left_) members_.push_back(name);
  }
  for (auto& owner : owners_) owner->allocator->SetMembers(members_, now_);
}

void World::NewOwner(bool kill_the_old) {
  if (!owners_.empty() && kill_the_old) {
    Owner& old = *owners_.back();
    old.alive = false;
    for (auto& [id, connection] : connections_) {
      if (connection.owner == &old) Break(id);
    }
  }
  if (std::exchange(taking_over_, true)) return;
  At(owners_.empty() ? now_ : owners_.back()->confirmed_until, [this] { TakeOver(); });
}

void World::TakeOver() {
  taking_over_ = false;
  const uint64_t term = owners_.size() + 1;
  Trace("owner " + std::to_string(term), "takes over");
  auto limit_of = [this](const std::string& gateway) {
    const auto found = limits_.find(gateway);
    return found == limits_.end() ? 0u : found->second;
  };
  auto owner = std::make_unique<Owner>();
  owner->term = term;
  owner->allocator = std::make_unique<quota::Allocator>(durable_, term * kEpochsPerTerm, limit_of, now_);
  owner->allocator->SetMembers(members_, now_);
  owners_.push_back(std::move(owner));
  TickOwner(*owners_.back());
}

void World::StopOwner(Duration time) {
  Trace("owner " + std::to_string(owners_.back()->term), "stopped for " + std::to_string(time.count() / 1e9));
  owners_.back()->stopped_until = now_ + time;
}

void World::TickOwner(Owner& owner) {
  if (!owner.alive) return;
  Pump(owner);
  After(kOwnerTick, [this, &owner] { TickOwner(owner); });
}

Duration World::Delay() {
  const auto spread = static_cast<uint64_t>((network_.max_delay - network_.min_delay).count()) + 1;
  return network_.min_delay + Duration(static_cast<int64_t>(Below(spread)));
}

MonotonicTime World::ArrivalAt(MonotonicTime& latest, const Node& node) {
  latest = std::max({latest, now_ + Delay(), node.isolated_until_});
  return latest;
}

uint64_t World::Open(Node& node) {
  if (node.isolated()) return 0;
  Owner& owner = *owners_[Below(owners_.size())];
  if (!owner.alive || owner.term < node.term_ || owner.stopped_until > now_) return 0;
  node.term_ = owner.term;
  const uint64_t id = next_connection_++;
  connections_[id] = {node.name(), &owner};
  return id;
}

void World::Break(uint64_t id) {
  const auto notice = [&] {
    const Duration most = Below(2) == 0 ? Duration(milliseconds(5)) : kMaxNotice;
    return Duration(static_cast<int64_t>(Below(static_cast<uint64_t>(most.count()))));
  };
  After(notice(), [this, id] {
    Connection& connection = connections_[id];
    connection.node_knows_broken = true;
    if (nodes_.contains(connection.node)) nodes_[connection.node]->Broken(id);
  });
  After(notice(), [this, id] {
    Connection& connection = connections_[id];
    if (std::exchange(connection.owner_knows_broken, true)) return;
    const auto current = connection.owner->connections.find(connection.node);
    if (current == connection.owner->connections.end() || current->second != id) return;
    connection.owner->connections.erase(current);
    connection.owner->allocator->Disconnected(connection.node);
  });
}

void World::BreakConnection(const std::string& node) {
  if (nodes_[node]->connection_ != 0) Break(nodes_[node]->connection_);
}

void World::ToOwner(uint64_t id, const quota::Report& report) {
  Connection& connection = connections_[id];
  At(ArrivalAt(connection.to_owner, *nodes_.at(connection.node)), [this, id, report] { ReportArrives(id, report); });
}

void World::ReportArrives(uint64_t id, const quota::Report& report) {
  Connection& connection = connections_[id];
  Owner& owner = *connection.owner;
  if (!owner.alive || connection.owner_knows_broken) return;
  if (owner.stopped_until > now_) {
    At(owner.stopped_until, [this, id, report] { ReportArrives(id, report); });
    return;
  }
  uint64_t& current = owner.connections[connection.node];
  if (current > id) return;  // the node has opened a newer stream
  current = id;
  std::string text = std::string(report.hello ? "hello " : "report ") + (report.fresh ? "fresh " : "") + "sequence " +
                     std::to_string(report.sequence) + " seen " + std::to_string(report.seen);
  for (const auto& gateway : report.gateways) {
    text += " " + gateway.id + " held " + std::to_string(gateway.held) + " demand " + std::to_string(gateway.demand);
    for (const auto& group : gateway.released) {
      text += " +" + std::to_string(group.count) + "@" + std::to_string(group.ready_in.count() / 1000000);
    }
  }
  Trace("owner " + std::to_string(owner.term), "from " + connection.node + " " + text);
  owner.allocator->Receive(connection.node, report, now_);
  Pump(owner);
}

void World::Persist(Owner& owner) {
  const auto proposal = owner.allocator->Proposal(now_);
  if (!proposal) return;
  durable_ = *proposal;
  Trace("owner " + std::to_string(owner.term), "commits epoch " + std::to_string(proposal->epoch));
  owner.allocator->Commit(*proposal);
}

void World::Pump(Owner& owner) {
  if (!owner.alive || owner.stopped_until > now_) return;
  const bool latest = &owner == owners_.back().get() && !taking_over_;
  if (latest) owner.allocator->Confirmed(owner.confirmed_until = now_ + kOwnership);
  if (latest) Persist(owner);
  for (auto& [name, answer] : owner.allocator->Answers(now_)) {
    const auto current = owner.connections.find(name);
    if (current == owner.connections.end() || !nodes_.contains(name)) continue;
    const uint64_t id = current->second;
    At(ArrivalAt(connections_[id].to_node, *nodes_[name]), [this, id, answer = answer, name = name] {
      if (nodes_.contains(name)) nodes_[name]->Deliver(id, answer);
    });
  }
}

void World::RemoveNode(const std::string& node) {
  nodes_[node]->Crash(false);
  nodes_.erase(node);
  SetMembers();
}

}  // namespace sluice::simulation
