#include "data-plane/proxy/target_choice.h"

#include <algorithm>

#include "data-plane/proxy/worker.h"

namespace sluice::proxy {

using Outcome = TargetState::Outcome;

const Target* TargetChoice::Next() {
  target_ = nullptr;
  if (upstream_ == nullptr) return nullptr;
  const MonotonicTime now = worker_.loop().Now();
  const Balancer::Query query{.tried = tried_, .hash = hash_, .now = now};
  const Balancer::Choice choice = worker_.balancer().Pick(gateway_.id(), *upstream_, query);
  if (choice.target == nullptr) return nullptr;
  tried_.push_back(choice.target);
  target_ = choice.target;
  trial_ = choice.trial;
  const bool counts =
      upstream_->algorithm == Algorithm::kLeastConnections || upstream_->algorithm == Algorithm::kLatency;
  if (counts) in_flight_ = InFlight(target_->state);
  return target_;
}

void TargetChoice::Unreachable(bool timed_out) {
  if (target_ == nullptr) return;
  target_->state->Avoid(worker_.loop().Now());
  Settle(timed_out ? Outcome::kTimeout : Outcome::kTcpFailure);
}

void TargetChoice::Answered(int status, Duration latency) {
  if (target_ == nullptr) return;
  if (upstream_->algorithm == Algorithm::kLatency) target_->state->ObserveLatency(latency, worker_.loop().Now());
  const HealthPolicy& policy = upstream_->health;
  const auto listed = [&](const std::vector<uint16_t>& statuses) {
    return std::binary_search(statuses.begin(), statuses.end(), static_cast<uint16_t>(status));
  };
  if (!policy.on()) return;
  if (policy.passive_statuses && listed(policy.passive_rule.unhealthy_statuses)) {
    Settle(Outcome::kHttpFailure);
  } else if (!policy.passive_statuses || trial_ || listed(policy.passive_rule.healthy_statuses)) {
    Settle(Outcome::kSuccess);
  }
}

void TargetChoice::Failed(bool timed_out, Duration after) {
  if (target_ == nullptr) return;
  // A target that fails quickly must not look like a quick one.
  if (upstream_->algorithm == Algorithm::kLatency) {
    target_->state->ObserveLatency(std::max<Duration>(after, TargetState::kAvoidFor), worker_.loop().Now());
  }
  Settle(timed_out ? Outcome::kTimeout : Outcome::kTcpFailure);
}

void TargetChoice::Settle(Outcome outcome) {
  const Target& target = *target_;
  target_ = nullptr;
  if (!upstream_->health.on()) return;
  const MonotonicTime now = worker_.loop().Now();
  const HealthLimits& limits = upstream_->health.passive_rule.limits;
  const std::optional<bool> changed = trial_ ? target.state->EndTrial(outcome == Outcome::kSuccess, limits, now)
                                             : target.state->Report(outcome, limits, now);
  if (changed.has_value()) worker_.health().Changed(gateway_, *upstream_, target, outcome);
}

}  // namespace sluice::proxy
