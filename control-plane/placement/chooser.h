#pragma once

// The cell for a new gateway. A pure function of what is known of the cells. One thread at a time.

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control-plane/index/index.h"
#include "control-plane/store/placement.h"

namespace sluice::placement {

struct Cell {
  store::CellRow row;
  index::CellLoad load;
  size_t connected = 0;  // nodes, to any replica
};

class Chooser {
 public:
  explicit Chooser(std::vector<Cell> cells) : cells_(std::move(cells)) {}

  // The name of the least loaded one that has a node, else that could have one; it counts a gateway more from then on.
  // Loads are compared by capacity where all that may be chosen have one, else by nodes. RESOURCE_EXHAUSTED: all are
  // full or draining.
  absl::StatusOr<std::string> Next();

 private:
  std::vector<Cell> cells_;
};

}  // namespace sluice::placement
