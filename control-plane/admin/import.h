#pragma once

// Many new gateways at once. Callable from every thread; blocks.

#include "absl/status/status.h"
#include "control-plane/admin/call.h"
#include "sluice/admin/v1/admin.pb.h"

namespace sluice::admin {

// Validates each alone and commits those that are well together; where one of those cannot be committed, each alone.
absl::Status Import(const AdminDeps& deps, Call& call, const v1::ImportGatewaysRequest& request,
                    v1::ImportGatewaysResponse& response);

}  // namespace sluice::admin
