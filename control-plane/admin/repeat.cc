#include "control-plane/admin/repeat.h"

#include "common/schema/text.h"
#include "control-plane/admin/errors.h"

namespace sluice::admin {

absl::StatusOr<std::optional<store::KeptRequest>> FindRepeat(const AdminDeps& deps, Call& call) {
  if (call.fingerprint.empty()) return std::nullopt;
  absl::StatusOr<std::optional<store::KeptRequest>> kept = deps.store.FindRequest(call.caller.name, call.request_id);
  if (!kept.ok()) return FromStore(kept.status());
  if (!kept->has_value()) return std::nullopt;
  if ((*kept)->fingerprint != call.fingerprint) {
    return InvalidField("request_id",
                        schema::Cat("'", call.request_id, "' was another request of '", call.caller.name,
                                    "' within the last ", store::kRequestsKeptFor / std::chrono::hours(1),
                                    " hours; give every request an id of its own"),
                        "REQUEST_ID_REUSED");
  }
  call.repeated = true;
  call.gateway = (*kept)->gateway_id;
  return kept;
}

store::KeptRequest ToKeep(const Call& call) {
  store::KeptRequest request;
  if (call.fingerprint.empty()) return request;
  request.caller = call.caller.name;
  request.request_id = call.request_id;
  request.fingerprint = call.fingerprint;
  return request;
}

}  // namespace sluice::admin
