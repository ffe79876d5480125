// One limit over several nodes, whatever the load does and whoever fails: no second ever has more. How much of it can
// be used is printed: `tests/run faults` gives it time to be seen.

#include <algorithm>
#include <iostream>

#include "tests/faults/fixture.h"

namespace sluice::test {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr size_t kLimit = 100;  // of the plan
// After a lower limit is live everywhere: until what was lent of the higher one is used or has ended (quota/lease.h).
constexpr auto kSettleTime = seconds(6);

// Of what may be admitted in that time, so much was.
double Usable(const std::vector<Exchange>& admitted, Clock::time_point since, Clock::time_point until) {
  const auto count = std::count_if(admitted.begin(), admitted.end(),
                                   [&](const Exchange& one) { return one.sent >= since && one.sent < until; });
  return static_cast<double>(count) / (std::chrono::duration<double>(until - since).count() * kLimit);
}

std::vector<Exchange> Between(const std::vector<Exchange>& all, Clock::time_point since, Clock::time_point until) {
  std::vector<Exchange> some;
  std::copy_if(all.begin(), all.end(), std::back_inserter(some),
               [&](const Exchange& one) { return one.sent >= since && one.answered < until; });
  return some;
}

// Turns `rates` by one node every `period`, for `time` in all, and prints what was usable of it.
void Turn(Load& load, const char* name, std::vector<int> rates, Clock::duration period, Clock::duration time) {
  load.SetRates(rates);
  std::this_thread::sleep_for(seconds(2));
  const auto since = Clock::now();
  while (Clock::now() < since + time) {
    std::this_thread::sleep_for(std::min(period, Clock::duration(since + time - Clock::now())));
    std::rotate(rates.begin(), rates.begin() + 1, rates.end());
    load.SetRates(rates);
  }
  const double usable = Usable(load.Admitted(), since, Clock::now());
  std::cout << name << ": " << static_cast<int>(1000 * usable) / 10.0 << " % usable\n";
  CHECK(usable > 0.5);
}

TEST_CASE("one limit under every skew: no second has more than it") {
  const auto time = seconds(Count(6, 60));
  Platform platform(3);
  platform.Serve("shop", kEcho);
  Load load(platform.http_ports(), Platform::Host("shop"));
  Turn(load, "even", {120, 120, 120}, time, time);
  Turn(load, "97/2/1", {291, 6, 3}, time, time);
  Turn(load, "97/2/1 turning every 10 s", {291, 6, 3}, seconds(10), time);
  Turn(load, "97/2/1 turning every 3 s", {291, 6, 3}, seconds(3), time);
  Turn(load, "97/2/1 turning every 1 s", {291, 6, 3}, seconds(1), time);
  for (int i = 0; i < 3; ++i) {  // a burst after silence
    load.SetRates({0, 0, 0});
    std::this_thread::sleep_for(seconds(6));
    std::vector<int> burst(3, 0);
    burst[static_cast<size_t>(i)] = 400;
    load.SetRates(burst);
    std::this_thread::sleep_for(seconds(2));
  }
  load.Stop();
  CHECK(load.failed() == 0);
  CHECK(MostInOneSecond(load.Admitted()) <= kLimit);
}

TEST_CASE("a node that is cut off keeps its part, and takes no more when it is back") {
  Platform platform({.nodes = 3, .links = true});
  platform.Serve("shop", kEcho);
  Load load(platform.http_ports(), Platform::Host("shop"));
  for (const std::vector<int>& rates : {std::vector{300, 10, 10}, {10, 300, 300}}) {
    load.SetRates(rates);
    std::this_thread::sleep_for(seconds(2));
    platform.link(0).Partition();
    load.SetRates({300, 300, 300});
    std::this_thread::sleep_for(seconds(Count(8, 60)));
    platform.link(0).Heal();
    std::this_thread::sleep_for(seconds(3));
  }
  load.Stop();
  CHECK(load.failed() == 0);
  CHECK(MostInOneSecond(load.Admitted()) <= kLimit);
}

TEST_CASE("while the control plane is gone every node has its part, and when it is back all of it is used again") {
  Platform platform(3);
  platform.Serve("shop", kEcho);
  Load load(platform.http_ports(), Platform::Host("shop"));
  load.SetRates({300, 10, 10});
  std::this_thread::sleep_for(seconds(2));
  platform.control_plane().Kill();
  std::this_thread::sleep_for(seconds(6));
  load.SetRates({60, 60, 60});
  const auto gone = Clock::now();
  std::this_thread::sleep_for(seconds(Count(4, 180)));
  CHECK(Usable(load.Admitted(), gone + seconds(1), Clock::now()) > 0.9);  // a third each
  platform.StartControlPlane();
  load.SetRates({300, 10, 10});
  std::this_thread::sleep_for(seconds(6));
  const auto back = Clock::now();
  std::this_thread::sleep_for(seconds(3));
  CHECK(Usable(load.Admitted(), back, Clock::now()) > 0.75);
  load.Stop();
  CHECK(load.failed() == 0);
  CHECK(MostInOneSecond(load.Admitted()) <= kLimit);
}

TEST_CASE("a limit that changes under load is never passed: the old one until it may be, then the new one") {
  Platform platform(3);
  platform.Ok({"plan", "set", "team", "--requests-per-second", "100"});
  platform.Ok({"gateway", "create", "shop", "--plan", "team", "--wait"});
  platform.Apply("shop", kEcho);
  Load load(platform.http_ports(), Platform::Host("shop"));
  load.SetRates({300, 60, 20});
  std::this_thread::sleep_for(seconds(2));
  const auto began = Clock::now();
  platform.Ok({"plan", "set", "team", "--requests-per-second", "40"});
  platform.Apply("shop", kEcho + std::string("  tags: [later]\n"));  // live, and so is what came before
  std::this_thread::sleep_for(kSettleTime);
  const auto lowered = Clock::now();
  load.SetRates({20, 20, 300});
  std::this_thread::sleep_for(seconds(4));
  const auto raised = Clock::now();
  platform.Ok({"plan", "set", "team", "--requests-per-second", "250"});
  std::this_thread::sleep_for(seconds(5));
  const auto used = Clock::now();
  load.SetRates({200, 200, 200});
  std::this_thread::sleep_for(seconds(4));
  load.Stop();
  const std::vector<Exchange> all = load.Admitted();
  CHECK(load.failed() == 0);
  CHECK(MostInOneSecond(Between(all, {}, lowered)) <= 100);
  CHECK(MostInOneSecond(Between(all, began, lowered)) <= 100);
  CHECK(MostInOneSecond(Between(all, lowered, raised)) <= 40);
  CHECK(MostInOneSecond(all) <= 250);
  CHECK(Between(all, lowered, raised).size() > 40 * 2);
  CHECK(Between(all, used, Clock::now()).size() > 100 * 4);
}

TEST_CASE("nodes that come and go under load pass no limit") {
  Platform platform(4);
  platform.Serve("shop", kEcho);
  const std::vector<uint16_t> ports = platform.http_ports();
  Load load({ports[0], ports[1]}, Platform::Host("shop")), guests({ports[2], ports[3]}, Platform::Host("shop"), true);
  load.SetRates({200, 50});
  guests.SetRates({100, 100});
  for (int round = 0; round < Count(2, 20); ++round) {
    const int node = 2 + round % 2;
    platform.StopNode(node);
    std::this_thread::sleep_for(seconds(1));
    platform.StartNode(node);
    std::this_thread::sleep_for(seconds(1));
  }
  load.Stop();
  guests.Stop();
  CHECK(load.failed() == 0);
  std::vector<Exchange> all = load.Admitted();
  const std::vector<Exchange> others = guests.Admitted();
  all.insert(all.end(), others.begin(), others.end());
  CHECK(MostInOneSecond(all) <= kLimit);
}

}  // namespace
}  // namespace sluice::test
