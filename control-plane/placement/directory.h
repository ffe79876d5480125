#pragma once

// The cells that there are: as the database has them, with what is in them by the index and who is connected by the
// registry. Callable from every thread.

#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "control-plane/placement/chooser.h"
#include "control-plane/sync/registry.h"

namespace sluice::placement {

class Directory {
 public:
  // Everything referred to outlives it.
  Directory(store::Placements& store, const index::Index& index, const sync::Registry& registry)
      : store_(store), index_(index), registry_(registry) {}

  absl::Status Refresh();  // blocks on the database; UNAVAILABLE: what was known stays
  // By name, as of the latest Refresh; load and nodes as of now.
  std::vector<Cell> Cells() const;
  std::string AddressOf(const std::string& cell) const;  // as of the latest Refresh; "": it is not known
  bool Has(const std::string& cell) const;               // as of the latest Refresh
  store::Placements& store() { return store_; }

 private:
  store::Placements& store_;
  const index::Index& index_;
  const sync::Registry& registry_;
  mutable std::mutex mutex_;
  std::vector<store::CellRow> rows_;
};

}  // namespace sluice::placement
