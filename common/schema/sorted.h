#pragma once

// A protobuf map in the order of its keys: in its own order equal inputs would be answered differently. Stateless.

#include <algorithm>

#include "absl/container/inlined_vector.h"

namespace sluice::schema {

// Pointers into the map.
template <typename Map>
auto Sorted(const Map& map) {
  absl::InlinedVector<const typename Map::value_type*, 16> entries;
  for (const auto& entry : map) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  return entries;
}

}  // namespace sluice::schema
