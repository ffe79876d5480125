#pragma once

// The schema as numbered steps (migrations/NNNN_name.sql, carried by the executable). Applied in order, once, by
// whichever replica comes first; a step that was applied never changes. Steps expand before they contract, so that
// replicas of two releases run side by side.

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "control-plane/store/connection.h"

namespace sluice::store {

struct Migration {
  int number = 0;
  std::string_view name;
  std::string_view sql;
};

std::vector<Migration> EmbeddedMigrations();

// Under an advisory lock: waits for other replicas. FAILED_PRECONDITION: an applied step differs from ours.
absl::Status Migrate(Connection& connection, const std::vector<Migration>& migrations);

}  // namespace sluice::store
