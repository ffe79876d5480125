#pragma once

// The targets of an upstream from one request's point of view: which comes next, and what became of the last one, which
// decides that target's health. For a service without an upstream it does nothing. One per request; its worker's thread
// only.

#include <optional>
#include <string_view>
#include <vector>

#include "data-plane/balance/balancer.h"
#include "data-plane/route/gateway.h"

namespace sluice::proxy {

class Worker;

class TargetChoice {
 public:
  // `upstream` belongs to the gateway, which outlives this, or is null.
  TargetChoice(Worker& worker, const Gateway& gateway, const Upstream* upstream, std::optional<uint64_t> hash)
      : worker_(worker), gateway_(gateway), upstream_(upstream), hash_(hash) {}
  TargetChoice(const TargetChoice&) = delete;

  // A target that was not tried yet; null where none can serve.
  const Target* Next();
  bool HasMore() const { return upstream_ != nullptr && tried_.size() < upstream_->targets.size(); }

  // What became of the last one; the first that is said counts. Nothing is said where it is nobody's fault, or the
  // client's.
  void Unreachable(bool timed_out);
  void Answered(int status, Duration latency);
  void Failed(bool timed_out, Duration after);  // connected, but no answer that can be understood

 private:
  void Settle(TargetState::Outcome outcome);

  Worker& worker_;
  const Gateway& gateway_;
  const Upstream* const upstream_;
  const std::optional<uint64_t> hash_;
  std::vector<const Target*> tried_;
  const Target* target_ = nullptr;  // null: nothing to tell of
  bool trial_ = false;
  InFlight in_flight_;
};

}  // namespace sluice::proxy
