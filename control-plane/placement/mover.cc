#include "control-plane/placement/mover.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "common/observe/log.h"

namespace sluice::placement {
namespace {

const Cell* FindCell(const std::vector<Cell>& cells, const std::string& name) {
  const auto found = std::find_if(cells.begin(), cells.end(), [&](const Cell& cell) { return cell.row.name == name; });
  return found == cells.end() ? nullptr : &*found;
}

}  // namespace

Mover::~Mover() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Mover::Start() {
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kMoveInterval, [this] { return stop_; })) {
      lock.unlock();
      Step();
      lock.lock();
    }
  });
}

void Mover::Step() {
  const std::vector<Cell> cells = deps_.directory.Cells();
  std::vector<store::PlacementChange> changes;
  Advance(cells, changes);
  Begin(cells, changes);
  for (size_t first = 0; first < changes.size(); first += store::kMaxMoves) {
    const size_t count = std::min(changes.size() - first, static_cast<size_t>(store::kMaxMoves));
    const auto part = std::span(changes).subspan(first, count);
    const auto placed = deps_.directory.store().Place({part.begin(), part.end()});
    if (!placed.ok()) {
      log::Warning("gateways cannot be moved now", {{"reason", std::string(placed.status().message())}});
      break;  // tried again at the next step
    }
  }
  if (!changes.empty()) deps_.index.Refresh().IgnoreError();  // the doorbell rings for it as well
}

void Mover::Advance(const std::vector<Cell>& cells, std::vector<store::PlacementChange>& changes) {
  std::map<std::string, Wait> before = std::exchange(waits_, {});
  for (const std::string& id : deps_.index.Moving()) {
    const std::optional<index::Entry> entry = deps_.index.Find(id);
    if (!entry || entry->removed || entry->placement.move == store::Move::kNone) continue;
    if (const auto known = before.find(id); known != before.end()) waits_.insert(*known);
    if (!IsDue(*entry, cells)) continue;
    const store::Placement next = store::NextStep(entry->placement, entry->request_limit.value_or(0));
    changes.push_back({id, entry->placement, next});
    if (next.move == store::Move::kNone) {
      log::Info("a gateway has moved", {{"gateway", id}, {"from", next.other}, {"to", next.cell}});
    }
  }
}

void Mover::Begin(const std::vector<Cell>& cells, std::vector<store::PlacementChange>& changes) const {
  size_t moving = deps_.index.Moving().size();
  Chooser chooser(cells);
  for (const Cell& cell : cells) {
    if (!cell.row.draining || moving >= kMaxMoving) continue;
    for (const std::string& id : deps_.index.In(cell.row.name, kMaxMoving - moving)) {
      const std::optional<index::Entry> entry = deps_.index.Find(id);
      const absl::StatusOr<std::string> to = chooser.Next();
      if (!to.ok()) return;  // what has no place stays, and is served; `sluice cell list` shows it
      if (!entry || entry->placement.move != store::Move::kNone) continue;
      changes.push_back({id, entry->placement, store::BeginMove(entry->placement, *to)});
      ++moving;
    }
  }
}

bool Mover::IsDue(const index::Entry& entry, const std::vector<Cell>& cells) {
  const store::Move move = entry.placement.move;
  const MonotonicTime now = deps_.clock.Now();
  const auto known = waits_.find(entry.gateway_id);
  const bool waits = known != waits_.end() && known->second.move == move;
  if (!waits && !Met(entry, cells)) {
    waits_.erase(entry.gateway_id);
    return false;
  }
  if (!waits) waits_.insert_or_assign(entry.gateway_id, Wait{move, now});
  const MonotonicTime since = waits_.at(entry.gateway_id).since;
  switch (move) {
    case store::Move::kNarrow:
    case store::Move::kLeave: return now >= since + kSettleTime;
    case store::Move::kOverlap: return now >= since + deps_.overlap;
    case store::Move::kJoin:
    case store::Move::kNone: break;
  }
  return true;
}

// Whether the step before is known to be taken by everyone whom the next one is about.
bool Mover::Met(const index::Entry& entry, const std::vector<Cell>& cells) const {
  const store::Placement& placement = entry.placement;
  // Replicas that are behind may tell nodes that connect of the step before, and hand out the larger part of a limit.
  const sync::RolloutStatus rollout = deps_.registry.Rollout(entry.gateway_id, entry.revision);
  switch (placement.move) {
    case store::Move::kNarrow: return rollout.pending.empty() && AllHave(placement.cell, cells, entry.revision);
    case store::Move::kJoin: return rollout.pending.empty() && TakenBy(placement.other, entry);
    case store::Move::kOverlap: return true;
    case store::Move::kLeave: return rollout.pending.empty() && AllHave(placement.other, cells, entry.revision);
    case store::Move::kNone: break;
  }
  return false;
}

// Every node that may serve with what the cell once had: those that share its limits, connected or not.
bool Mover::AllHave(const std::string& cell, const std::vector<Cell>& cells, int64_t revision) const {
  std::map<std::string, int64_t> applied;
  for (const sync::NodeStatus& node : deps_.registry.Nodes()) {
    if (node.scope != store::Scope::OfCell(cell)) continue;
    applied[node.name] = node.applied;
    if (node.applied < revision) return false;
  }
  const Cell* const known = FindCell(cells, cell);
  return known == nullptr || std::all_of(known->row.nodes.begin(), known->row.nodes.end(),
                                         [&](const std::string& name) { return applied.contains(name); });
}

// The cell has nodes, all of which serve it.
bool Mover::TakenBy(const std::string& cell, const index::Entry& entry) const {
  bool any = false;
  for (const sync::NodeStatus& node : deps_.registry.Nodes()) {
    if (node.scope != store::Scope::OfCell(cell)) continue;
    const auto rejected = node.rejected.find(entry.gateway_id);
    if (node.applied < entry.revision) return false;
    if (rejected != node.rejected.end() && rejected->second.revision >= entry.revision) return false;
    any = true;
  }
  return any;
}

}  // namespace sluice::placement
