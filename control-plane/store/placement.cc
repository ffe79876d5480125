#include "control-plane/store/placement.h"

namespace sluice::store {

namespace {

// Clients are not sent there yet.
bool IsOnItsWay(const Placement& placement) { return placement.move == Move::kNarrow || placement.move == Move::kJoin; }

}  // namespace

const std::string& Destination(const Placement& placement) {
  return IsOnItsWay(placement) ? placement.other : placement.cell;
}

const std::string& Origin(const Placement& placement) {
  return IsOnItsWay(placement) ? placement.cell : placement.other;
}

std::optional<Part> PartOf(const Placement& placement, std::string_view cell) {
  const bool here = cell == placement.cell, other = cell == placement.other;
  switch (placement.move) {
    case Move::kNone: return here ? std::optional(Part::kAll) : std::nullopt;
    case Move::kNarrow: return here ? std::optional(Part::kLarger) : std::nullopt;
    case Move::kJoin:
      if (here) return Part::kLarger;
      return other ? std::optional(Part::kSmaller) : std::nullopt;
    case Move::kOverlap:
      if (here) return Part::kSmaller;
      return other ? std::optional(Part::kLarger) : std::nullopt;
    case Move::kLeave: return here ? std::optional(Part::kSmaller) : std::nullopt;
  }
  return std::nullopt;
}

uint32_t LimitOf(Part part, uint32_t limit) {
  switch (part) {
    case Part::kAll: return limit;
    case Part::kLarger: return limit - limit / 2;
    case Part::kSmaller: return limit / 2;
  }
  return limit;
}

Placement BeginMove(const Placement& placement, const std::string& to) {
  return {placement.cell, to, Move::kNarrow};
}

Placement NextStep(const Placement& placement, uint32_t limit) {
  const bool has_parts = limit != 1;
  switch (placement.move) {
    case Move::kNarrow:
      if (!has_parts) return {placement.other, placement.cell, Move::kLeave};
      return {placement.cell, placement.other, Move::kJoin};
    case Move::kJoin: return {placement.other, placement.cell, Move::kOverlap};
    case Move::kOverlap: return {placement.cell, placement.other, Move::kLeave};
    case Move::kLeave: return {placement.cell, placement.other, Move::kNone};
    case Move::kNone: break;
  }
  return placement;
}

}  // namespace sluice::store
