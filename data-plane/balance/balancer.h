#pragma once

// Which target of an upstream a request goes to. One per worker; its thread only. What is remembered here, whose turn
// it is, begins anew when the gateway changes; what is known of a target does not (TargetState).
//
// Note, 2026-11-23. Requests in flight and latencies are counted for the whole node, not for each worker: a worker with
// a few slow requests of its own would find the targets that all others keep busy idle. It costs one atomic addition
// at either end of a request, and only upstreams that balance so pay for it.

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "data-plane/balance/target_state.h"
#include "data-plane/balance/upstream.h"

namespace sluice {

class Balancer {
 public:
  // `start`: which target has the first turn, so that workers do not all begin with the same.
  explicit Balancer(size_t start = 0) : start_(start) {}

  struct Query {
    const std::vector<const Target*>& tried;  // never one of these
    std::optional<uint64_t> hash;             // of what the upstream hashes, where the request has it
    MonotonicTime now;
  };
  struct Choice {
    const Target* target = nullptr;  // null: none can serve
    bool trial = false;              // unhealthy, and this request shall find out; TargetState::EndTrial wants to know
  };
  Choice Pick(const std::string& gateway_id, const Upstream& upstream, const Query& query);
  void Forget(const std::string& gateway_id) { gateways_.erase(gateway_id); }

 private:
  using Turns = std::vector<int64_t>;  // one a target
  using Indexes = std::vector<size_t>;

  Turns& TurnsOf(const std::string& gateway_id, const Upstream& upstream);
  void FindCandidates(const Upstream& upstream, const Query& query);
  size_t Choose(const Upstream& upstream, const Query& query, Turns& turns);
  size_t LeastConnections(const Upstream& upstream, Turns& turns);
  size_t Latency(const Upstream& upstream, const Query& query, Turns& turns);

  absl::flat_hash_map<std::string, absl::flat_hash_map<std::string, Turns>> gateways_;
  size_t start_;
  Indexes candidates_;
  Indexes some_;  // of the candidates
};

}  // namespace sluice
