#include "control-plane/placement/directory.h"

#include <algorithm>
#include <map>
#include <utility>

namespace sluice::placement {

absl::Status Directory::Refresh() {
  auto rows = store_.ListCells();
  if (!rows.ok()) return rows.status();
  std::lock_guard lock(mutex_);
  rows_ = *std::move(rows);
  return absl::OkStatus();
}

std::vector<Cell> Directory::Cells() const {
  std::map<std::string, index::CellLoad> loads = index_.Loads();
  std::map<std::string, size_t> connected;
  for (const sync::NodeStatus& node : registry_.Nodes()) {
    if (node.scope.is_cell()) ++connected[node.scope.name()];
  }
  std::lock_guard lock(mutex_);
  std::vector<Cell> cells;
  for (const store::CellRow& row : rows_) cells.push_back({row, loads[row.name], connected[row.name]});
  return cells;
}

std::string Directory::AddressOf(const std::string& cell) const {
  std::lock_guard lock(mutex_);
  for (const store::CellRow& row : rows_) {
    if (row.name == cell) return row.address;
  }
  return "";
}

bool Directory::Has(const std::string& cell) const {
  std::lock_guard lock(mutex_);
  return std::any_of(rows_.begin(), rows_.end(), [&](const store::CellRow& row) { return row.name == cell; });
}

}  // namespace sluice::placement
