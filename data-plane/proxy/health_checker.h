#pragma once

// The active health checks of a worker's gateways. Each gateway is checked by one worker of a node, which its id
// decides; what it finds is the targets' state, which all workers share. One coroutine a gateway starts what is due,
// and ends when the gateway changes or goes; when a target was checked last is remembered with the target, so that no
// change of the configuration brings checks forward. One per worker; its thread only.

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "data-plane/balance/target_state.h"
#include "data-plane/proxy/stats.h"
#include "data-plane/route/publisher.h"

namespace sluice::proxy {

class Worker;

class HealthChecker {
 public:
  HealthChecker(Worker& worker, int workers);
  ~HealthChecker();
  HealthChecker(const HealthChecker&) = delete;

  void Apply(const GatewayChange& change);
  // A target has become healthy or unhealthy: counted and, within kMaxHealthLines, logged.
  void Changed(const Gateway& gateway, const Upstream& upstream, const Target& target, TargetState::Outcome why);
  // What has changed here since the start, and how the targets of this worker's gateways are now.
  void Count(Stats& stats) const;

 private:
  struct Round;
  struct Check;
  bool IsMine(const std::string& gateway_id) const;
  io::Task<void> Keep(std::shared_ptr<Round> round);
  MonotonicTime StartDue(const std::shared_ptr<Round>& round);
  MonotonicTime DueAt(const Check& check) const;
  io::Task<void> Run(std::shared_ptr<Round> round, size_t index);

  Worker& worker_;
  const int workers_;
  absl::flat_hash_map<std::string, std::shared_ptr<Round>> rounds_;  // by gateway, those with health checks of any kind
  size_t running_ = 0;
  int64_t line_second_ = 0;
  int lines_ = 0;
  uint64_t recovered_ = 0;
  uint64_t failed_ = 0;
  uint64_t checks_passed_ = 0;
  uint64_t checks_failed_ = 0;
  uint64_t checks_undecided_ = 0;
};

// What a check found; empty where it tells nothing of the target.
io::Task<std::optional<TargetState::Outcome>> CheckTarget(Worker& worker, std::shared_ptr<const Gateway> gateway,
                                                          const Upstream& upstream, const Target& target);

}  // namespace sluice::proxy
