#pragma once

// The plans that are there without anybody having set them; config.h has the serverless one. Stateless.

#include <vector>

#include "common/config/config.h"

namespace sluice::config {

inline constexpr uint32_t kSelfManagedMaxRequestsInFlight = 10'000;
inline constexpr uint32_t kSelfManagedMaxUpstreamConnections = 4096;
inline constexpr uint32_t kSelfManagedMaxPendingPerTarget = 10'000;
inline constexpr uint64_t kSelfManagedMaxBufferedBytes = 1024 * 1024 * 1024;

// Of gateways that their owner's nodes serve: no limit on requests and bodies, every plugin, every upstream.
v1::Plan SelfManagedPlan();
std::vector<v1::Plan> BuiltInPlans();

}  // namespace sluice::config
