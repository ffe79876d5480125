#include "control-plane/admin/wait.h"

#include <algorithm>

#include "common/schema/text.h"
#include "control-plane/admin/errors.h"
#include "control-plane/admin/view.h"

namespace sluice::admin {

namespace {

using schema::Cat;

// Those that are missing first.
v1::Rollout Shortened(const v1::Rollout& rollout) {
  v1::Rollout out;
  size_t left = kMaxRolloutDetailBytes;
  const auto fits = [&](size_t bytes) {
    if (bytes + 4 > left) return false;
    left -= bytes + 4;
    return true;
  };
  for (const v1::Rejection& one : rollout.rejected()) {
    if (fits(one.ByteSizeLong())) *out.add_rejected() = one;
  }
  for (const std::string& node : rollout.pending()) {
    if (fits(node.size())) out.add_pending(node);
  }
  for (const std::string& node : rollout.applied()) {
    if (fits(node.size())) out.add_applied(node);
  }
  return out;
}

absl::Status Refused(const v1::Rollout& rollout) {
  std::string message = "committed, but refused by";
  for (const v1::Rejection& one : rollout.rejected()) {
    message += Cat(" ", one.node(), " (", one.reason(), ": ", one.message(), ")");
  }
  return WithReason(absl::StatusCode::kFailedPrecondition, message + "; they serve the version before", "REJECTED");
}

absl::Status Late(const v1::Rollout& rollout, uint32_t timeout_ms) {
  std::string message = Cat("committed, but not live everywhere within ", timeout_ms, " ms; waiting for");
  for (const std::string& node : rollout.pending()) message += Cat(" ", node);
  return WithReason(absl::StatusCode::kDeadlineExceeded, message + "; the change stays and goes on being sent",
                    "PENDING");
}

}  // namespace

absl::Status CheckWait(const v1::Wait& wait) {
  if (wait.timeout_ms() <= kMaxWaitMs) return absl::OkStatus();
  return InvalidField("wait.timeout_ms", Cat("at most ", kMaxWaitMs, " (", kMaxWaitMs / 60'000, " minutes)"),
                      "TOO_LARGE");
}

absl::StatusOr<v1::Rollout> WaitUntilLive(const AdminDeps& deps, const Call& call, const v1::Wait& wait,
                                          const std::string& gateway_id, int64_t revision) {
  const uint32_t timeout_ms = wait.timeout_ms() == 0 ? kDefaultWaitMs : wait.timeout_ms();
  const MonotonicTime deadline = deps.clock.Now() + std::chrono::milliseconds(timeout_ms);
  sync::RolloutStatus status;
  while (true) {
    const MonotonicTime now = deps.clock.Now();
    status = deps.registry.WaitRollout(gateway_id, revision,
                                       std::min(deadline, now + std::chrono::milliseconds(kWaitSliceMs)));
    if (status.pending.empty() || deps.clock.Now() >= deadline) break;
    if (call.cancelled()) return absl::CancelledError("the caller went away; the change stays");
  }
  const v1::Rollout rollout = ToRollout(status);
  if (rollout.rejected().empty() && rollout.pending().empty()) return rollout;
  absl::Status missing = rollout.rejected().empty() ? Late(rollout, timeout_ms) : Refused(rollout);
  AddDetail(missing, Shortened(rollout));
  return missing;
}

}  // namespace sluice::admin
