#pragma once

// WatchGateway's loop. Blocks its thread as long as the caller watches.

#include <atomic>
#include <functional>
#include <string>

#include "control-plane/admin/call.h"
#include "sluice/admin/v1/admin.pb.h"

namespace sluice::admin {

inline constexpr int kMaxWatches = 64;     // at once; each holds a thread
inline constexpr int kWatchSliceMs =
    200;  // a caller that went away, and a change that no node has yet, is seen within this

// Calls `write` with the gateway now and at every change, until it returns false or the call is cancelled (OK), or the
// gateway is deleted (NOT_FOUND). RESOURCE_EXHAUSTED past kMaxWatches of `watches`.
absl::Status Watch(const AdminDeps& deps, Call& call, const std::string& gateway, std::atomic<int>& watches,
                   const std::function<bool(const v1::Gateway&)>& write);

}  // namespace sluice::admin
