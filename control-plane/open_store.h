#pragma once

// From flags to an open store: where the database is, the keys that seal it, and the wait until it answers. Used by
// main() alone.

#include <signal.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "control-plane/flags.h"
#include "control-plane/store/store.h"

namespace sluice {

inline constexpr auto kDatabasePatience = std::chrono::seconds(60);
inline constexpr auto kDatabaseAttempt = std::chrono::seconds(5);  // then a signal is looked for

// The connection string, of the flag or of the file that the flag names.
absl::StatusOr<std::string> DatabaseOf(const Flags& flags);
// How the store is opened. `flags` outlives what is made of it.
store::Options StoreOptions(const Flags& flags, const std::string& database);
// Waits for the database for kDatabasePatience. CANCELLED: one of `ends` came.
absl::StatusOr<std::unique_ptr<store::Store>> OpenStore(const store::Options& options, const Clock& clock,
                                                        const sigset_t& ends);

}  // namespace sluice
