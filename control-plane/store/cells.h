#pragma once

// Who owns a cell's shares, and between whom they are divided: rows of the table `cells`. On a connection of its own,
// since an owner that waits for others' statements is an owner no more. One thread at a time; calls block.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control-plane/store/store.h"

namespace sluice::store {

struct CellRecord {
  int64_t term = 0;
  int64_t epoch = 0;
  std::vector<std::string> members;
  bool guests = false;
  std::vector<std::string> enlisted;
};

struct CellOwner {
  std::string replica;  // names the process
  std::string address;  // host:port where nodes find it
};

class Cells {
 public:
  static std::unique_ptr<Cells> Make(const Options& options);
  virtual ~Cells() = default;

  // Owns the cell for `time` from before this call on, in a new term, where nobody else does; `owner` itself may have
  // done so. nullopt: somebody else owns it, or it is gone.
  virtual absl::StatusOr<std::optional<CellRecord>> Take(const std::string& cell, const CellOwner& owner,
                                                         Duration time) = 0;
  // Where nodes find who owns the cell now; "": nobody does.
  virtual absl::StatusOr<std::string> OwnerAddress(const std::string& cell) = 0;
  // For `time` longer. nullopt: another term has begun.
  virtual absl::StatusOr<std::optional<CellRecord>> Renew(const std::string& cell, int64_t term, Duration time) = 0;
  // False: another term has begun.
  virtual absl::StatusOr<bool> Commit(const std::string& cell, const CellRecord& record) = 0;
  virtual absl::Status Release(const std::string& cell, int64_t term) = 0;
  // Whatever the term.
  virtual absl::Status Enlist(const std::string& cell, const std::string& node) = 0;
  virtual absl::Status Delist(const std::string& cell, const std::string& node) = 0;
};

}  // namespace sluice::store
