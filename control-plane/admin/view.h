#pragma once

// Records of the store and the registry as the admin API shows them. Stateless; callable from every thread.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/config/diff.h"
#include "control-plane/admin/services.h"
#include "google/protobuf/timestamp.pb.h"
#include "sluice/admin/v1/admin.pb.h"

namespace sluice::admin {

google::protobuf::Timestamp ToTimestamp(WallTime time);
v1::Rejection ToRejection(const std::string& node, const sync::RejectedUpdate& update);
v1::Rollout ToRollout(const sync::RolloutStatus& status);

inline constexpr size_t kMaxChangesBytes = 2 << 20;  // in an answer
// As many as there is room for; how many there was none for.
uint32_t AddChanges(const std::vector<config::Change>& changes, google::protobuf::RepeatedPtrField<v1::Change>& out);
v1::Version ToVersion(const store::VersionRecord& record);

// With where its latest version stands on the connected nodes.
v1::Gateway ToGateway(const AdminDeps& deps, const store::GatewayRecord& record);

// The plan of that name; the built-in serverless plan where nobody set one. NOT_FOUND names it.
absl::StatusOr<config::v1::Plan> FindPlan(const AdminDeps& deps, const std::string& name);

}  // namespace sluice::admin
