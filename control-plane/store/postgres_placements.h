#pragma once

// Placements on PostgreSQL. Made by the store, whose pool it uses; see placement.h for what each call means.

#include <string>
#include <vector>

#include "control-plane/store/placement.h"
#include "control-plane/store/pool.h"

namespace sluice::store {

class PostgresPlacements final : public Placements {
 public:
  explicit PostgresPlacements(Pool& pool) : pool_(pool) {}

  absl::StatusOr<std::vector<CellRow>> ListCells() override;
  absl::Status PutCell(const CellRow& cell, const AuditRecord& audit) override;
  absl::Status SetDraining(const std::string& cell, bool draining, const AuditRecord& audit) override;
  absl::Status DeleteCell(const std::string& cell, const AuditRecord& audit) override;
  absl::StatusOr<int64_t> Place(const std::vector<PlacementChange>& changes) override;

 private:
  Pool& pool_;
};

}  // namespace sluice::store
