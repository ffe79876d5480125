#pragma once

// Which target a key belongs to: the key falls into one of the upstream's slots, and a slot belongs to the target that
// scores highest in it (weighted rendezvous hashing, Schindelhauer and Schomaker 2005). Pure, and the same on every
// node.
//
// Note, 2026-11-23. A ring of points (Kong's way) needs thousands of points to be fair, and where weights differ, the
// points of the others move when a target goes. Here a target that goes gives its slots to all others by their weight
// and no other slot changes hands; there is no table to build when a configuration changes; and the second choice of a
// key, when its target fails, is as fixed as the first. The price is one score a target for each request.

#include <cstdint>
#include <string_view>

namespace sluice {

uint64_t HashOf(std::string_view text);
// Of a target in a slot; more for more weight.
double ScoreOf(uint64_t slot, uint64_t target_hash, uint32_t weight);

}  // namespace sluice
