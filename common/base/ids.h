#pragma once

// Identifiers and counters that must not be mixed up are types, not strings and integers.

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

namespace sluice {

// A UUID in its text form.
struct GatewayId {
  std::string value;
  auto operator<=>(const GatewayId&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const GatewayId& id) {
    return H::combine(std::move(h), id.value);
  }
};

// The fleet-wide, gap-free, commit-ordered number of a change. 0: before the first.
struct Revision {
  int64_t value = 0;
  auto operator<=>(const Revision&) const = default;
};

// The number of a gateway's configuration, from 1.
struct Version {
  int64_t value = 0;
  auto operator<=>(const Version&) const = default;
};

}  // namespace sluice
