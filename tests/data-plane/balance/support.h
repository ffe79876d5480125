#pragma once

// Upstreams from a few words, and time that stands still until it is told to go. Header only.

#include <chrono>
#include <string>
#include <vector>

#include "catch2/catch.hpp"
#include "data-plane/balance/balancer.h"
#include "data-plane/balance/hashing.h"

namespace sluice::test {

inline const MonotonicTime kStart{std::chrono::hours(1)};

// Targets "a", "b", ... of these weights.
inline Upstream WithWeights(const std::vector<uint32_t>& weights, Algorithm algorithm = Algorithm::kRoundRobin) {
  Upstream upstream;
  upstream.name = "u";
  upstream.algorithm = algorithm;
  for (size_t i = 0; i < weights.size(); ++i) {
    const std::string host = i < 26 ? std::string(1, static_cast<char>('a' + i)) : "t" + std::to_string(i);
    upstream.targets.push_back({host, 80, weights[i], HashOf(host), std::make_shared<TargetState>()});
  }
  return upstream;
}

// Three failures to connect make a target unhealthy.
inline Upstream WithChecks(const std::vector<uint32_t>& weights) {
  Upstream upstream = WithWeights(weights);
  upstream.health.passive_rule.limits = {.tcp_failures = 3};
  return upstream;
}

inline void Break(const Target& target, MonotonicTime now = kStart) {
  target.state->Report(TargetState::Outcome::kTcpFailure, {.tcp_failures = 1}, now);
}

// The hosts that `count` requests go to.
inline std::string Order(Balancer& balancer, const Upstream& upstream, int count, MonotonicTime now = kStart) {
  std::string order;
  for (int i = 0; i < count; ++i) {
    const Target* target = balancer.Pick("g", upstream, {.tried = {}, .hash = {}, .now = now}).target;
    order += target == nullptr ? "-" : target->host;
  }
  return order;
}

}  // namespace sluice::test
