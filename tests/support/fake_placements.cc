// Where the gateways of the store in memory are.

#include <algorithm>

#include "tests/support/fake_store.h"

namespace sluice::test {

absl::StatusOr<std::vector<store::CellRow>> FakeStore::ListCells() {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  std::vector<store::CellRow> rows;
  for (const auto& [name, cell] : cells) rows.push_back(cell);
  return rows;
}

absl::Status FakeStore::PutCell(const store::CellRow& cell, const store::AuditRecord& audit) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  if (!cells.contains(cell.name) && cells.size() >= store::kMaxCells) return absl::ResourceExhaustedError("many cells");
  store::CellRow& row = cells[cell.name];
  row.name = cell.name;
  row.capacity = cell.capacity;
  row.address = cell.address;
  audits_.push_back(audit);
  return absl::OkStatus();
}

absl::Status FakeStore::SetDraining(const std::string& cell, bool draining, const store::AuditRecord& audit) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  if (!cells.contains(cell)) return absl::NotFoundError("no such cell");
  cells[cell].draining = draining;
  audits_.push_back(audit);
  return absl::OkStatus();
}

absl::Status FakeStore::DeleteCell(const std::string& cell, const store::AuditRecord& audit) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  if (!cells.contains(cell)) return absl::NotFoundError("no such cell");
  const bool used = std::any_of(gateways_.begin(), gateways_.end(), [&](const auto& entry) {
    const store::Placement& placement = entry.second.record.placement;
    return placement.cell == cell || (placement.move != store::Move::kNone && placement.other == cell);
  });
  if (used || !cells[cell].nodes.empty()) return absl::FailedPreconditionError("gateways or nodes are in it");
  cells.erase(cell);
  audits_.push_back(audit);
  return absl::OkStatus();
}

absl::StatusOr<int64_t> FakeStore::Place(const std::vector<store::PlacementChange>& changes) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  int64_t count = 0;
  for (const store::PlacementChange& change : changes) {
    const auto gateway = gateways_.find(change.gateway_id);
    if (gateway == gateways_.end() || gateway->second.record.placement != change.from) continue;
    store::GatewayRecord& record = gateway->second.record;
    store::ConfigRow row = rows_.at(record.revision);
    rows_.erase(record.revision);
    record.revision = row.revision = ++revision_;
    record.placement = row.placement = change.to;
    rows_[revision_] = row;
    ++count;
  }
  return count;
}

}  // namespace sluice::test
