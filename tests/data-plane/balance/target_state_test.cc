// When a target counts as unhealthy, and how it comes back.

#include <thread>

#include "data-plane/balance/target_table.h"
#include "tests/data-plane/balance/support.h"

using namespace sluice;
using namespace sluice::test;
using Outcome = TargetState::Outcome;

namespace {

constexpr HealthLimits kThree{.successes = 3, .http_failures = 3, .tcp_failures = 3, .timeouts = 3};

}  // namespace

TEST_CASE("a target fails with the last of so many failures, and not before") {
  TargetState state;
  CHECK_FALSE(state.Report(Outcome::kHttpFailure, kThree, kStart).has_value());
  CHECK_FALSE(state.Report(Outcome::kHttpFailure, kThree, kStart).has_value());
  CHECK(state.healthy());
  CHECK(state.Report(Outcome::kHttpFailure, kThree, kStart) == false);
  CHECK_FALSE(state.healthy());
}

TEST_CASE("failures of different kinds are counted apart") {
  TargetState state;
  for (int i = 0; i < 2; ++i) {
    state.Report(Outcome::kHttpFailure, kThree, kStart);
    state.Report(Outcome::kTcpFailure, kThree, kStart);
    state.Report(Outcome::kTimeout, kThree, kStart);
  }
  CHECK(state.healthy());
  CHECK(state.Report(Outcome::kTimeout, kThree, kStart) == false);
}

TEST_CASE("a success between failures begins the count anew") {
  TargetState state;
  for (int i = 0; i < 10; ++i) {
    state.Report(Outcome::kTcpFailure, kThree, kStart);
    state.Report(Outcome::kTcpFailure, kThree, kStart);
    state.Report(Outcome::kSuccess, {.tcp_failures = 3}, kStart);
  }
  CHECK(state.healthy());
}

TEST_CASE("a limit of 0 is none, one of 255 is reached") {
  TargetState state;
  for (int i = 0; i < 1000; ++i) state.Report(Outcome::kTcpFailure, {}, kStart);
  CHECK(state.healthy());
  for (int i = 0; i < 254; ++i) state.Report(Outcome::kTcpFailure, {.tcp_failures = 255}, kStart);
  CHECK(state.healthy());
  CHECK(state.Report(Outcome::kTcpFailure, {.tcp_failures = 255}, kStart) == false);
}

TEST_CASE("a target comes back with so many successes in a row") {
  TargetState state;
  state.Report(Outcome::kTcpFailure, {.tcp_failures = 1}, kStart);
  state.Report(Outcome::kSuccess, kThree, kStart);
  state.Report(Outcome::kSuccess, kThree, kStart);
  state.Report(Outcome::kTcpFailure, kThree, kStart);
  state.Report(Outcome::kSuccess, kThree, kStart);
  state.Report(Outcome::kSuccess, kThree, kStart);
  CHECK_FALSE(state.healthy());
  CHECK(state.Report(Outcome::kSuccess, kThree, kStart) == true);
}

TEST_CASE("a straggler's success brings nothing back where successes are not asked for") {
  TargetState state;
  state.Report(Outcome::kTcpFailure, {.tcp_failures = 1}, kStart);
  CHECK_FALSE(state.Report(Outcome::kSuccess, {.tcp_failures = 1}, kStart).has_value());
  CHECK_FALSE(state.healthy());
}

TEST_CASE("one trial at a time, and its success is enough where none is asked for") {
  TargetState state;
  state.Report(Outcome::kTcpFailure, {.tcp_failures = 1}, kStart);
  const MonotonicTime later = kStart + TargetState::kFirstBreak;
  CHECK_FALSE(state.ClaimTrial(later - std::chrono::nanoseconds(1)));
  CHECK(state.ClaimTrial(later));
  CHECK_FALSE(state.ClaimTrial(later));
  CHECK(state.EndTrial(true, {.tcp_failures = 1}, later) == true);
  CHECK(state.healthy());
}

TEST_CASE("where successes are asked for, one trial follows the other until there are enough") {
  TargetState state;
  state.Report(Outcome::kTcpFailure, {.tcp_failures = 1}, kStart);
  const MonotonicTime later = kStart + TargetState::kFirstBreak;
  for (int i = 0; i < 2; ++i) {
    CHECK(state.ClaimTrial(later));
    CHECK_FALSE(state.EndTrial(true, kThree, later).has_value());
  }
  CHECK(state.ClaimTrial(later));
  CHECK(state.EndTrial(true, kThree, later) == true);
}

TEST_CASE("every trial that fails doubles the break, up to its maximum") {
  TargetState state;
  MonotonicTime now = kStart;
  state.Report(Outcome::kTcpFailure, {.tcp_failures = 1}, now);
  for (const int seconds : {10, 20, 40, 80, 160, 320, 320, 320}) {
    INFO(seconds);
    now += std::chrono::seconds(seconds);
    CHECK_FALSE(state.TrialDue(now - std::chrono::nanoseconds(1)));
    CHECK(state.ClaimTrial(now));
    state.EndTrial(false, kThree, now);
  }
}

TEST_CASE("a trial whose request never ended is made up for") {
  TargetState state;
  state.Report(Outcome::kTcpFailure, {.tcp_failures = 1}, kStart);
  const MonotonicTime later = kStart + TargetState::kFirstBreak;
  CHECK(state.ClaimTrial(later));
  CHECK(state.TrialDue(later + TargetState::kFirstBreak));
}

TEST_CASE("a slower answer counts at once, a faster one by and by") {
  TargetState state;
  state.ObserveLatency(std::chrono::milliseconds(10), kStart);
  state.ObserveLatency(std::chrono::milliseconds(100), kStart);
  CHECK(state.Cost(kStart) == Approx(1e8));
  state.ObserveLatency(std::chrono::milliseconds(10), kStart);
  CHECK(state.Cost(kStart) == Approx(1e8));
  const MonotonicTime later = kStart + TargetState::kLatencyDecay;
  state.ObserveLatency(std::chrono::milliseconds(10), later);
  CHECK(state.Cost(later) == Approx(1e7 + 9e7 / 2.718281828).epsilon(0.01));
}

TEST_CASE("a target that nothing is known of is tried once, not by everybody at once") {
  TargetState state;
  CHECK(state.Cost(kStart) == 0);
  state.Enter();
  CHECK(state.Cost(kStart) > 1e14);
}

TEST_CASE("many threads count no failure twice and lose none") {
  TargetState state;
  std::atomic<int> changes{0};
  const auto fail = [&] {
    for (int i = 0; i < 60; ++i) {
      if (state.Report(Outcome::kTcpFailure, {.tcp_failures = 240}, kStart)) ++changes;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(fail);
  for (std::thread& thread : threads) thread.join();
  CHECK(changes == 1);
  CHECK_FALSE(state.healthy());
}

TEST_CASE("a target is remembered while somebody holds it, by its upstream and address") {
  TargetTable table;
  const auto state = table.Get("u", "a:80");
  CHECK(table.Get("u", "a:80") == state);
  CHECK(table.Get("v", "a:80") != state);
  CHECK(table.Get("u", "a:81") != state);
  table.Sweep();
  CHECK(table.size() == 1);
}
