#pragma once

// Waiting until a change is live. Callable from every thread; calls block.

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "control-plane/admin/call.h"
#include "sluice/admin/v1/admin.pb.h"

namespace sluice::admin {

inline constexpr uint32_t kDefaultWaitMs = 10'000;
inline constexpr uint32_t kMaxWaitMs = 300'000;        // longer waits are refused
inline constexpr int kWaitSliceMs = 200;               // a caller that went away is noticed within this
inline constexpr size_t kMaxRolloutDetailBytes = 4000; // of node names among an error's details

absl::Status CheckWait(const v1::Wait& wait);

// Where the change stands when every connected node serves it. DEADLINE_EXCEEDED names the nodes that are missing,
// FAILED_PRECONDITION those that refused, with their reasons; both have the Rollout among their details, as many nodes
// of it as there is room for.
absl::StatusOr<v1::Rollout> WaitUntilLive(const AdminDeps& deps, const Call& call, const v1::Wait& wait,
                                          const std::string& gateway_id, int64_t revision);

}  // namespace sluice::admin
