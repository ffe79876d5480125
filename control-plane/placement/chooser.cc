#include "control-plane/placement/chooser.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sluice::placement {
namespace {

bool MayTake(const Cell& cell) {
  return !cell.row.draining && (cell.row.capacity == 0 || cell.load.gateways < cell.row.capacity);
}

absl::Status Full(const std::vector<Cell>& cells) {
  const auto say = [](std::string* out, const Cell& cell) {
    absl::StrAppend(out, cell.row.name, cell.row.draining ? " is draining" : " is full (");
    if (!cell.row.draining) absl::StrAppend(out, cell.load.gateways, " of ", cell.row.capacity, ")");
  };
  return absl::ResourceExhaustedError(
      absl::StrCat("no cell has room: ", absl::StrJoin(cells, ", ", say),
                   "; raise a capacity or make a cell (`sluice cell set`), or end a drain (`sluice cell resume`)"));
}

}  // namespace

absl::StatusOr<std::string> Chooser::Next() {
  std::vector<Cell*> open;
  for (Cell& cell : cells_) {
    if (MayTake(cell)) open.push_back(&cell);
  }
  if (open.empty()) return Full(cells_);
  const auto live = std::stable_partition(open.begin(), open.end(), [](const Cell* c) { return c->connected > 0; });
  if (live != open.begin()) open.erase(live, open.end());
  const bool by_capacity = std::all_of(open.begin(), open.end(), [](const Cell* c) { return c->row.capacity > 0; });
  const auto load = [&](const Cell* cell) {
    const auto size = by_capacity ? cell->row.capacity : static_cast<int64_t>(std::max<size_t>(cell->connected, 1));
    return static_cast<double>(cell->load.gateways) / static_cast<double>(size);
  };
  Cell* const best = *std::min_element(open.begin(), open.end(),
                                       [&](const Cell* a, const Cell* b) { return load(a) < load(b); });
  ++best->load.gateways;
  return best->row.name;
}

}  // namespace sluice::placement
