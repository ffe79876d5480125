#pragma once

// What a plan may say. Stateless; callable from every thread.

#include <cstdint>

#include "absl/status/status.h"
#include "sluice/config/v1/gateway.pb.h"

namespace sluice::admin {

inline constexpr uint32_t kMaxPlanRequestsPerSecond = 1'000'000;
inline constexpr uint64_t kMaxPlanBodyBytes = 1ULL << 40;  // 1 TiB
inline constexpr uint32_t kMaxPlanRequestsInFlight = 1'000'000;
inline constexpr uint32_t kMaxPlanConnections = 100'000;
inline constexpr uint32_t kMaxPlanPending = 100'000;
inline constexpr uint64_t kMaxPlanBufferedBytes = 16ULL << 30;  // 16 GiB
inline constexpr int kMaxPlanPlugins = 200;
inline constexpr int kMaxPlanRanges = 256;

// INVALID_ARGUMENT with every violation.
absl::Status CheckPlan(const config::v1::Plan& plan);

}  // namespace sluice::admin
