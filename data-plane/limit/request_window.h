#pragma once

// The gateway's request limit at the door: one admission a request, and the answer where there is none left. Pure over
// GatewayState; callable from every worker at once.

#include <optional>

#include "common/base/clock.h"
#include "common/quota/sliding_window.h"
#include "data-plane/plugin/plugin.h"
#include "data-plane/route/state.h"

namespace sluice::limit {

// nullopt: admitted (or no limit). Otherwise the 429 with what a client needs to come back in time.
std::optional<Reply> AdmitRequest(const GatewayState& state, MonotonicTime now);

// The answer to an admission that was refused. Seconds are rounded up: a retry at that time is early for nobody.
Reply TooManyRequests(const quota::Admission& admission);

}  // namespace sluice::limit
