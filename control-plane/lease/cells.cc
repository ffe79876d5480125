#include "control-plane/lease/cells.h"

namespace sluice::lease {

void Cells::Have(const std::vector<std::string>& names) {
  std::lock_guard lock(mutex_);
  for (const std::string& name : names) {
    if (closed_ || cells_.contains(name)) continue;
    cells_[name] = std::make_unique<Cell>(
        name, deps_.self, deps_.open(), deps_.clock,
        [limit_of = deps_.limit_of, name](const std::string& gateway) { return limit_of(gateway, name); });
  }
}

Cell* Cells::Find(const std::string& name) {
  std::lock_guard lock(mutex_);
  const auto found = cells_.find(name);
  return found == cells_.end() ? nullptr : found->second.get();
}

std::vector<Cell*> Cells::All() {
  std::lock_guard lock(mutex_);
  std::vector<Cell*> all;
  for (const auto& [name, cell] : cells_) all.push_back(cell.get());
  return all;
}

void Cells::LimitsChanged() {
  std::lock_guard lock(mutex_);
  for (const auto& [name, cell] : cells_) cell->LimitsChanged();
}

void Cells::Shutdown() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& [name, cell] : cells_) cell->Shutdown();
}

}  // namespace sluice::lease
