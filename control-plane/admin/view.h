#pragma once

// Records of the store and the registry as the admin API shows them. Stateless; callable from every thread.

#include <string>

#include "absl/status/statusor.h"
#include "control-plane/admin/services.h"
#include "google/protobuf/timestamp.pb.h"
#include "sluice/admin/v1/admin.pb.h"

namespace sluice::admin {

google::protobuf::Timestamp ToTimestamp(WallTime time);
v1::Rejection ToRejection(const std::string& node, const sync::RejectedUpdate& update);

// With where its latest version stands on the connected nodes.
v1::Gateway ToGateway(const AdminDeps& deps, const store::GatewayRecord& record);

// The plan of that name; the built-in serverless plan where nobody set one. NOT_FOUND names it.
absl::StatusOr<config::v1::Plan> FindPlan(const AdminDeps& deps, const std::string& name);

}  // namespace sluice::admin
