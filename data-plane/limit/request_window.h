#pragma once

// The gateway's request limit at the door: one admission a request, and the answer where there is none left. Pure over
// GatewayState; callable from every worker at once.

#include <optional>

#include "common/base/clock.h"
#include "common/quota/sliding_window.h"
#include "data-plane/plugin/plugin.h"
#include "data-plane/route/state.h"

namespace sluice::limit {

// nullopt: admitted (or no limit). Otherwise the 429 with what a client needs to come back in time; and where the state
// says share_pending, it may be admitted within kShareWait.
std::optional<Reply> AdmitRequest(GatewayState& state, MonotonicTime now);
// The same request again, while it waits.
std::optional<Reply> AdmitWaiting(GatewayState& state, MonotonicTime now);

inline constexpr Duration kShareWait = std::chrono::milliseconds(10);
inline constexpr Duration kShareRetry = std::chrono::milliseconds(1);

// The answer to an admission that was refused. Seconds are rounded up: a retry at that time is early for nobody.
Reply TooManyRequests(uint32_t limit, int64_t retry_in_micros);

}  // namespace sluice::limit
