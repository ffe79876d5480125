#pragma once

// The write path of every change of a gateway's configuration: load, edit in memory, complete and validate the whole,
// one transaction. Callable from every thread; calls block.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/config/config.h"
#include "common/config/diff.h"
#include "common/schema/violation.h"
#include "control-plane/admin/call.h"
#include "control-plane/admin/errors.h"
#include "sluice/config/v1/gateway.pb.h"

namespace sluice::admin {

inline constexpr int kMaxCommitRetries = 5;  // when others change the same gateway meanwhile
inline constexpr size_t kMaxMessageBytes = 1024; // of a version

// NOT_FOUND names what was asked for. The call's audit record is about this gateway from here on.
absl::StatusOr<store::GatewayRecord> FindGateway(const AdminDeps& deps, Call& call, const std::string& id_or_name);

// A version's configuration; the latest where version is 0.
absl::StatusOr<config::v1::GatewayConfig> LoadConfig(const AdminDeps& deps, const std::string& gateway_id,
                                                     int64_t version);

// Turns `wanted`, a copy of `current`, into what it should be. Runs again when the gateway changed meanwhile.
using Edit = std::function<absl::Status(const config::v1::GatewayConfig& current, config::v1::GatewayConfig& wanted,
                                        schema::Violations& violations)>;

struct ChangeRequest {
  std::string gateway;  // id or name
  std::string message;
  bool dry_run = false;
  Rename rename = nullptr;                 // of violations' fields
  config::DocumentPaths* paths = nullptr;  // where the edit read entities from a document
  std::string etag = {};
  std::shared_ptr<std::string> entity_id = nullptr;  // set by the edit, or by what an earlier call of it made
  bool restores = false;                             // the edit takes entities from an earlier version
};

struct Changed {
  config::v1::GatewayConfig config;  // as it is now; of a dry run, as it would be
  int64_t version = 0;               // unchanged where nothing changed
  int64_t revision = 0;              // 0 where nothing was committed
  std::vector<config::Change> changes;
};

// A repeated call answers what the earlier one did; `config` has no more than the id where its version is gone.
absl::StatusOr<Changed> ChangeConfig(const AdminDeps& deps, Call& call, const ChangeRequest& request, const Edit& edit);

// What commits the first version of a gateway with the entities that `edit` gives it.
absl::StatusOr<store::Write> PrepareNew(const AdminDeps& deps, const Call& call,
                                        const config::v1::GatewayConfig& config, const ChangeRequest& request,
                                        const Edit& edit);
// Commits a gateway's first version. `config` is complete and valid.
absl::StatusOr<store::Committed> CommitNew(const AdminDeps& deps, Call& call, const config::v1::GatewayConfig& config,
                                           const std::string& cell = store::kDefaultCell);
// Of a version: INVALID_ARGUMENT where it is too long or cannot be stored.
absl::Status CheckMessage(const std::string& message);
// What a commit that failed means to a caller.
absl::Status CommitFailed(const absl::Status& status);

}  // namespace sluice::admin
