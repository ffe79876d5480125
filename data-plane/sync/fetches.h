#pragma once

// Configurations that workers wait for and that the control plane is asked for: each once, whoever asks. Asked by every
// worker; sent and answered by the threads of the sync client.

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "common/base/clock.h"
#include "data-plane/route/gateway_loader.h"
#include "data-plane/sync/status.h"

namespace sluice::sync {

class Fetches final : public GatewayLoader {
 public:
  static constexpr size_t kMaxUnderWay = 10'000;            // gateways; no further ones are asked for meanwhile
  static constexpr Duration kAgain = std::chrono::seconds(1);  // an answer that has not come by then was lost

  // Counts in `status`, which outlives it.
  Fetches(const Clock& clock, Status& status) : clock_(clock), status_(status) {}

  bool Load(const std::string& gateway_id) override;

  // A stream that answers is open; or none is, and what was under way on it is forgotten.
  void Open();
  void Close();
  // Whether the node may hold one more configuration.
  void SetRoom(bool room);
  // The gateway was answered for. `refused`: its configuration cannot be served, and is not asked for again until
  // Changed, or on another stream.
  void Answered(const std::string& gateway_id, bool refused);
  void Changed(const std::string& gateway_id);

  // What is to be sent: returns when there is anything, after Wake, or at `until`.
  std::vector<std::string> Take(MonotonicTime until);
  void Wake();

 private:
  const Clock& clock_;
  Status& status_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool open_ = false;
  bool room_ = true;
  bool woken_ = false;
  absl::flat_hash_map<std::string, MonotonicTime> under_way_;  // since when
  absl::flat_hash_set<std::string> refused_;
  std::vector<std::string> unsent_;  // each under way
};

}  // namespace sluice::sync
