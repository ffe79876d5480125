#pragma once

// What a node has counted of its gateways' requests and the control plane has not kept yet: one report a minute, at
// most kMaxReports; what comes when these wait is added up in one more. A report never changes once it has a number, so
// that the control plane counts it once however often it is sent. Callable from every thread.

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "sluice/sync/v1/sync.pb.h"

namespace sluice::sync {

// Since the start of the process, by gateway; gateway_id is not set.
using UsageTotals = absl::flat_hash_map<std::string, v1::GatewayUsage>;

class UsageLog {
 public:
  static constexpr size_t kMaxReports = 120;
  static constexpr size_t kMaxGateways = 10'000;  // of a report; the requests of others are reported with the next one

  // `process` names this run of the node and no other.
  explicit UsageLog(std::string process) : process_(std::move(process)) {}

  // What was counted until now belongs to the minute that began at `minute`, but for what was noted before.
  void Note(int64_t minute, const UsageTotals& totals);
  // The oldest report, unless it is on its way. It is on its way until Kept or Resend.
  std::optional<v1::Usage> Next();
  void Kept(const v1::UsageKept& kept);
  // Whatever was on its way may be lost: another stream has begun, or nothing was heard for long.
  void Resend();
  size_t waiting() const;

 private:
  void Push(v1::Usage usage);

  const std::string process_;
  mutable std::mutex mutex_;
  UsageTotals noted_;
  std::deque<v1::Usage> reports_;
  v1::Usage overflow_;  // without a number
  int64_t last_number_ = 0;
  bool sent_ = false;  // the oldest
};

}  // namespace sluice::sync
