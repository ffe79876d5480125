#include "data-plane/balance/balancer.h"

#include <algorithm>

#include "data-plane/balance/hashing.h"

namespace sluice {
namespace {

// Smooth weighted round-robin: a target of weight 5 among ones is chosen five times in a row by nobody.
size_t NextTurn(const Upstream& upstream, const std::vector<size_t>& among, std::vector<int64_t>& turns) {
  int64_t total = 0;
  size_t best = among.front();
  for (const size_t i : among) {
    turns[i] += upstream.targets[i].weight;
    total += upstream.targets[i].weight;
    if (turns[i] > turns[best]) best = i;
  }
  turns[best] -= total;
  return best;
}

size_t Owner(const Upstream& upstream, const std::vector<size_t>& among, uint64_t hash) {
  const uint64_t slot = hash % std::max<uint32_t>(1, upstream.slots);
  size_t best = among.front();
  double best_score = -1;
  for (const size_t i : among) {
    const double score = ScoreOf(slot, upstream.targets[i].hash, upstream.targets[i].weight);
    if (score > best_score) {
      best = i;
      best_score = score;
    }
  }
  return best;
}

}  // namespace

Balancer::Choice Balancer::Pick(const std::string& gateway_id, const Upstream& upstream, const Query& query) {
  Turns& turns = TurnsOf(gateway_id, upstream);
  FindCandidates(upstream, query);
  while (!candidates_.empty()) {
    const size_t chosen = Choose(upstream, query, turns);
    const Target& target = upstream.targets[chosen];
    if (!upstream.health.on() || target.state->healthy()) return {.target = &target};
    if (target.state->ClaimTrial(query.now)) return {.target = &target, .trial = true};
    std::erase(candidates_, chosen);  // another worker was quicker
  }
  return {};
}

Balancer::Turns& Balancer::TurnsOf(const std::string& gateway_id, const Upstream& upstream) {
  Turns& turns = gateways_[gateway_id][upstream.name];
  if (turns.size() != upstream.targets.size()) {
    turns.assign(upstream.targets.size(), 0);
    if (!turns.empty()) turns[start_++ % turns.size()] = 1;
  }
  return turns;
}

// Those that can serve and were not tried, without those just found unreachable where there are others.
void Balancer::FindCandidates(const Upstream& upstream, const Query& query) {
  const HealthPolicy& policy = upstream.health;
  uint64_t total = 0;
  uint64_t healthy_weight = 0;
  if (policy.on()) {
    for (const Target& target : upstream.targets) {
      total += target.weight;
      if (target.state->healthy()) healthy_weight += target.weight;
    }
  }
  const bool enough =
      !policy.on() || static_cast<double>(healthy_weight) * 100 > policy.threshold * static_cast<double>(total);
  candidates_.clear();
  some_.clear();
  for (size_t i = 0; i < upstream.targets.size(); ++i) {
    const Target& target = upstream.targets[i];
    if (target.weight == 0) continue;
    const bool healthy = !policy.on() || target.state->healthy();
    if (healthy ? !enough : policy.checks_recover() || !target.state->TrialDue(query.now)) continue;
    if (std::find(query.tried.begin(), query.tried.end(), &target) != query.tried.end()) continue;
    candidates_.push_back(i);
    if (!target.state->avoided(query.now)) some_.push_back(i);
  }
  if (!some_.empty()) candidates_.swap(some_);
}

size_t Balancer::Choose(const Upstream& upstream, const Query& query, Turns& turns) {
  switch (upstream.algorithm) {
    case Algorithm::kLeastConnections:
      return LeastConnections(upstream, turns);
    case Algorithm::kLatency:
      return Latency(upstream, query, turns);
    case Algorithm::kConsistentHashing:
      if (query.hash.has_value()) return Owner(upstream, candidates_, *query.hash);
      break;
    case Algorithm::kRoundRobin:
      break;
  }
  return NextTurn(upstream, candidates_, turns);
}

// The fewest requests in flight for its weight, counting this one; in turn among equals.
size_t Balancer::LeastConnections(const Upstream& upstream, Turns& turns) {
  some_.clear();
  int64_t best_load = 0;
  int64_t best_weight = 1;
  for (const size_t i : candidates_) {
    const int64_t load = upstream.targets[i].state->in_flight() + 1;
    const int64_t weight = upstream.targets[i].weight;
    const int64_t difference = load * best_weight - best_load * weight;
    if (!some_.empty() && difference > 0) continue;
    if (some_.empty() || difference < 0) {
      some_.clear();
      best_load = load;
      best_weight = weight;
    }
    some_.push_back(i);
  }
  return NextTurn(upstream, some_, turns);
}

// The better of the two whose turn it is: enough to keep away from slow targets, and not all requests at once go to the
// one that was fastest a moment ago (the power of two choices, Mitzenmacher 2001).
size_t Balancer::Latency(const Upstream& upstream, const Query& query, Turns& turns) {
  const size_t first = NextTurn(upstream, candidates_, turns);
  if (candidates_.size() == 1) return first;
  some_ = candidates_;
  std::erase(some_, first);
  const size_t second = NextTurn(upstream, some_, turns);
  const bool first_is_better =
      upstream.targets[first].state->Cost(query.now) <= upstream.targets[second].state->Cost(query.now);
  return first_is_better ? first : second;
}

}  // namespace sluice
