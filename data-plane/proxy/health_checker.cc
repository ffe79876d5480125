#include "data-plane/proxy/health_checker.h"

#include <algorithm>

#include "common/observe/log.h"
#include "data-plane/balance/hashing.h"
#include "data-plane/proxy/text.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {
namespace {

using Outcome = TargetState::Outcome;

constexpr double kSpread = 10;  // seconds over which the first checks of targets are spread, or their interval

std::string_view ToString(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSuccess:
      return "answers";
    case Outcome::kHttpFailure:
      return "status";
    case Outcome::kTcpFailure:
      return "connection";
    case Outcome::kTimeout:
      return "timeout";
  }
  return "";
}

double IntervalOf(const Upstream& upstream, const Target& target) {
  const ActiveCheck& active = upstream.health.active;
  return target.state->healthy() ? active.healthy_interval : active.unhealthy_interval;
}

}  // namespace

struct HealthChecker::Check {
  const Upstream* upstream;
  const Target* target;
  size_t* running;  // of its upstream
  double stretch;   // of the interval: never shorter, a tenth longer at most
  bool under_way = false;
};

struct HealthChecker::Round {
  Round(io::Loop& loop, std::shared_ptr<const Gateway> of) : gateway(std::move(of)), wake(loop) {}
  const std::shared_ptr<const Gateway> gateway;
  io::Event wake;
  bool stopped = false;
  std::vector<Check> checks;
  std::vector<std::unique_ptr<size_t>> running_by_upstream;
  size_t running = 0;
  double shortest = 0;  // seconds, of the intervals
};

HealthChecker::HealthChecker(Worker& worker, int workers) : worker_(worker), workers_(workers) {}
HealthChecker::~HealthChecker() = default;

bool HealthChecker::IsMine(const std::string& gateway_id) const {
  return HashOf(gateway_id) % static_cast<uint64_t>(workers_) == static_cast<uint64_t>(worker_.index());
}

void HealthChecker::Apply(const GatewayChange& change) {
  const auto known = rounds_.find(change.gateway_id);
  if (known != rounds_.end()) {
    known->second->stopped = true;
    known->second->wake.Set();
    rounds_.erase(known);
  }
  if (change.gateway == nullptr || !IsMine(change.gateway_id)) return;
  auto round = std::make_shared<Round>(worker_.loop(), change.gateway);
  bool any = false;
  for (const auto& upstream : change.gateway->upstreams()) {
    any = any || upstream->health.on();
    const ActiveCheck& active = upstream->health.active;
    if (!active.on()) continue;
    size_t* running = round->running_by_upstream.emplace_back(std::make_unique<size_t>(0)).get();
    for (const double interval : {active.healthy_interval, active.unhealthy_interval}) {
      if (interval > 0 && (round->shortest == 0 || interval < round->shortest)) round->shortest = interval;
    }
    for (const Target& target : upstream->targets) {
      if (target.weight == 0) continue;
      round->checks.push_back({upstream.get(), &target, running, 1 + worker_.Jitter() / 10});
    }
  }
  if (!any) return;
  rounds_[change.gateway_id] = round;
  if (!round->checks.empty()) worker_.loop().Spawn(Keep(std::move(round)));
}

io::Task<void> HealthChecker::Keep(std::shared_ptr<Round> round) {
  while (!round->stopped) {
    round->wake.Reset();
    const MonotonicTime next = StartDue(round);
    co_await round->wake.Wait(next);
  }
}

MonotonicTime HealthChecker::DueAt(const Check& check) const {
  const double interval = IntervalOf(*check.upstream, *check.target);
  if (interval == 0) return io::kNever;
  const auto wait = std::chrono::duration_cast<Duration>(worker_.times().check_second * interval * check.stretch);
  return check.target->state->checked_at() + wait;
}

// When to look again, at the latest after the shortest interval: requests change targets' health as well.
MonotonicTime HealthChecker::StartDue(const std::shared_ptr<Round>& round) {
  const MonotonicTime now = worker_.loop().Now();
  const auto shortest = std::chrono::duration_cast<Duration>(worker_.times().check_second * round->shortest);
  MonotonicTime next = now + shortest;
  for (size_t i = 0; i < round->checks.size(); ++i) {
    Check& check = round->checks[i];
    if (check.under_way) continue;
    TargetState& state = *check.target->state;
    if (state.checked_at() == MonotonicTime{}) {
      const double interval = IntervalOf(*check.upstream, *check.target);
      const double early = std::max(0.0, interval - std::min(interval, kSpread) * worker_.Jitter());
      state.PlanCheckAfter(now - std::chrono::duration_cast<Duration>(worker_.times().check_second * early));
    }
    const MonotonicTime due = DueAt(check);
    const bool room = running_ < kMaxChecksPerWorker && round->running < kMaxChecksPerGateway &&
                      *check.running < check.upstream->health.active.concurrency;
    if (due > now || !room) {
      if (due > now) next = std::min(next, due);
      continue;
    }
    state.PlanCheckAfter(now);
    check.under_way = true;
    ++running_;
    ++round->running;
    ++*check.running;
    worker_.loop().Spawn(Run(round, i));
  }
  return next;
}

io::Task<void> HealthChecker::Run(std::shared_ptr<Round> round, size_t index) {
  Check& check = round->checks[index];
  std::optional<Outcome> outcome = co_await CheckTarget(worker_, round->gateway, *check.upstream, *check.target);
  check.under_way = false;
  --running_;
  --round->running;
  --*check.running;
  round->wake.Set();
  if (round->stopped) co_return;
  if (!outcome.has_value()) {
    ++checks_undecided_;
    co_return;
  }
  ++(*outcome == Outcome::kSuccess ? checks_passed_ : checks_failed_);
  const HealthLimits& limits = check.upstream->health.active_rule.limits;
  const std::optional<bool> changed = check.target->state->Report(*outcome, limits, worker_.loop().Now());
  if (changed.has_value()) Changed(*round->gateway, *check.upstream, *check.target, *outcome);
}

void HealthChecker::Changed(const Gateway& gateway, const Upstream& upstream, const Target& target, Outcome why) {
  const bool healthy = why == Outcome::kSuccess;
  ++(healthy ? recovered_ : failed_);
  const int64_t second = UnixSeconds(worker_.clock().WallNow());
  if (second != line_second_) lines_ = 0;
  line_second_ = second;
  if (++lines_ > kMaxHealthLines) return;
  const std::string place = text::Cat(target.host, ":", target.port);
  log::Write(healthy ? log::Level::kInfo : log::Level::kWarning,
             healthy ? "an upstream's target is healthy again" : "an upstream's target is unhealthy",
             {{"gateway", gateway.id()}, {"upstream", upstream.name}, {"target", place}, {"because", ToString(why)}});
}

void HealthChecker::Count(Stats& stats) const {
  stats.targets_healthy = 0;
  stats.targets_unhealthy = 0;
  stats.unhealthy_by_gateway.clear();
  for (const auto& [id, round] : rounds_) {
    uint64_t unhealthy = 0;
    for (const auto& upstream : round->gateway->upstreams()) {
      if (!upstream->health.on()) continue;
      for (const Target& target : upstream->targets) ++(target.state->healthy() ? stats.targets_healthy : unhealthy);
    }
    stats.targets_unhealthy += unhealthy;
    const bool named = unhealthy > 0 && stats.unhealthy_by_gateway.size() < Stats::kMaxUnhealthyGateways;
    if (named) stats.unhealthy_by_gateway[id] = unhealthy;
  }
  stats.targets_recovered = recovered_;
  stats.targets_failed = failed_;
  stats.checks_passed = checks_passed_;
  stats.checks_failed = checks_failed_;
  stats.checks_undecided = checks_undecided_;
}

}  // namespace sluice::proxy
