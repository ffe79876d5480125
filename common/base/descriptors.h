#pragma once

// The descriptors that connections may not use: the rest of the process (database, files, upstreams) needs some too.

namespace sluice {

inline constexpr int kReservedDescriptors = 32;

// Whether an accepted connection has to be refused: it took one of the last descriptors that this process may have, as
// its limit is now. Descriptors are given out lowest first, so that a high number says that every lower one is taken.
// Needs no lock and, unlike giving up a reserve descriptor to accept once more, loses no race against other threads.
bool IsReservedDescriptor(int descriptor);

}  // namespace sluice
