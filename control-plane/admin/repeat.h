#pragma once

// Writes with a request_id are made once: what is kept of them, and how a repeated call finds it. Callable from every
// thread; calls block.

#include <optional>

#include "absl/status/statusor.h"
#include "control-plane/admin/call.h"

namespace sluice::admin {

// What the call's earlier self did, where there was one; the call counts as repeated then. INVALID_ARGUMENT
// (REQUEST_ID_REUSED): that was another request.
absl::StatusOr<std::optional<store::KeptRequest>> FindRepeat(const AdminDeps& deps, Call& call);

// To be kept with what the call does; of nothing where it has no request_id.
store::KeptRequest ToKeep(const Call& call);

}  // namespace sluice::admin
