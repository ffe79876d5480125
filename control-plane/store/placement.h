#pragma once

// Cells, and in which of them a serverless gateway is served. Part of the store, and like it callable from every
// thread; calls block; UNAVAILABLE: the database cannot be reached.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control-plane/store/scope.h"

namespace sluice::store {

struct AuditRecord;

inline constexpr size_t kMaxCells = 16;  // each is a connection of every replica to the database
inline constexpr size_t kMaxCellAddress = 255;
inline constexpr int kMaxMoves = 256;  // in one transaction

// How far a gateway has moved from one cell to another. The new cell serves it before the old one lets go, and since
// each cell shares a limit among its own nodes, each has a part of it while both serve.
enum class Move {
  kNone = 0,     // `cell` serves it
  kNarrow = 1,   // `cell` serves it with the larger part of its limit; `other` is where it goes
  kJoin = 2,     // `other` serves it with the smaller part, too
  kOverlap = 3,  // the same with the names turned round: clients are sent to `cell`, where it goes
  kLeave = 4,    // `cell` serves it with the smaller part; `other` let go
};

// Of the limit of a gateway, which a cell's nodes share.
enum class Part { kAll, kLarger, kSmaller };

struct Placement {
  std::string cell = kDefaultCell;  // where clients are sent
  std::string other = {};           // of the move; of the latest one where there is none
  Move move = Move::kNone;
  bool operator==(const Placement&) const = default;
};

// Where the gateway will be in the end, and the other cell of its move: where it was, or "".
const std::string& Destination(const Placement& placement);
const std::string& Origin(const Placement& placement);
// What a cell serves of a gateway; nullopt: it does not.
std::optional<Part> PartOf(const Placement& placement, std::string_view cell);
// Requests a second; the parts of both cells of a move add up to `limit`.
uint32_t LimitOf(Part part, uint32_t limit);
// The step after this one, for a gateway with that limit. A limit of one request a second has no parts: its gateway is
// served nowhere in its kLeave.
Placement NextStep(const Placement& placement, uint32_t limit);
Placement BeginMove(const Placement& placement, const std::string& to);

struct CellRow {
  std::string name;
  int64_t capacity = 0;  // gateways; 0: no bound
  std::string address;   // where clients find its nodes; "": it is not known
  bool draining = false;
  std::vector<std::string> nodes;  // that share limits: until one of them has stopped in order, or was removed
};

struct PlacementChange {
  std::string gateway_id;
  Placement from;  // nothing is changed where it is elsewhere by now
  Placement to;
};

class Placements {
 public:
  virtual ~Placements() = default;

  virtual absl::StatusOr<std::vector<CellRow>> ListCells() = 0;  // by name
  // Made or changed; `draining` and `nodes` are not looked at. RESOURCE_EXHAUSTED: there are kMaxCells.
  virtual absl::Status PutCell(const CellRow& cell, const AuditRecord& audit) = 0;
  virtual absl::Status SetDraining(const std::string& cell, bool draining, const AuditRecord& audit) = 0;  // NOT_FOUND
  // NOT_FOUND. FAILED_PRECONDITION: gateways or nodes are in it.
  virtual absl::Status DeleteCell(const std::string& cell, const AuditRecord& audit) = 0;

  // At most kMaxMoves, each with a revision of its own, in one transaction. How many were changed.
  virtual absl::StatusOr<int64_t> Place(const std::vector<PlacementChange>& changes) = 0;
};

}  // namespace sluice::store
