// One limit, held by several nodes together: at most so many requests in any second, wherever they arrive, and nearly
// as many as that. What clients can prove: requests that were sent and answered within one second were admitted in it.

#include <algorithm>
#include <csignal>
#include <thread>

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"
#include "tests/support/load.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr size_t kLimit = 100;  // of the plan
constexpr int kNodes = 3;

size_t AdmittedSince(const std::vector<Exchange>& admitted, Clock::time_point since) {
  return static_cast<size_t>(
      std::count_if(admitted.begin(), admitted.end(), [&](const Exchange& one) { return one.sent >= since; }));
}

TEST_CASE("three nodes admit one limit together, and nearly all of it, wherever the load is") {
  Platform platform(kNodes);
  platform.Serve("shop", kEcho);
  Load load(platform.http_ports(), Platform::Host("shop"));
  size_t usable = 0, measured = 0;
  for (const std::vector<int>& rates : {std::vector{120, 120, 120}, {300, 6, 3}, {3, 300, 6}, {6, 3, 300}}) {
    load.SetRates(rates);
    std::this_thread::sleep_for(seconds(1));
    const auto since = Clock::now();
    std::this_thread::sleep_for(seconds(3));
    measured += 3 * kLimit;
    usable += AdmittedSince(load.Admitted(), since);
  }
  CHECK(load.failed() == 0);
  CHECK(MostInOneSecond(load.Admitted()) <= kLimit);
  CHECK(usable >= measured * 3 / 4);  // what it is on a machine that is not busy: bench/fleet
}

TEST_CASE("no second has more than the limit when the allocator and a node die and come back under load") {
  Platform platform(kNodes);
  platform.Serve("shop", kEcho);
  Load load(platform.http_ports(), Platform::Host("shop"));
  load.SetRates({300, 20, 20});
  std::this_thread::sleep_for(seconds(2));
  platform.control_plane().Kill();
  load.SetRates({20, 300, 20});
  std::this_thread::sleep_for(seconds(6));
  platform.StartControlPlane();
  load.SetRates({20, 20, 300});
  std::this_thread::sleep_for(seconds(4));
  platform.node(2).Kill();
  load.SetRates({300, 300, 0});
  platform.StartNode(2);
  load.SetRates({300, 300, 300});
  std::this_thread::sleep_for(seconds(3));
  const auto since = Clock::now();
  std::this_thread::sleep_for(seconds(3));
  CHECK(MostInOneSecond(load.Admitted()) <= kLimit);
  CHECK(AdmittedSince(load.Admitted(), since) >= 3 * kLimit / 2);
}

TEST_CASE("no second has more than the limit when the replica that allocates dies and another one takes over") {
  Platform platform(kNodes, 2);
  platform.Serve("shop", kEcho);
  Load load(platform.http_ports(), Platform::Host("shop"));
  load.SetRates({300, 20, 20});
  for (int round = 0; round < 2; ++round) {
    std::this_thread::sleep_for(seconds(3));
    const auto owner = [&] { return platform.database().Query("select owner_address from cells"); };
    const std::string killed = owner();
    platform.UseReplica(0);
    if (killed.find(std::to_string(platform.sync_port())) == std::string::npos) platform.UseReplica(1);
    platform.control_plane().Kill();
    load.SetRates({20, 300, 20});
    REQUIRE(Eventually([&] { return owner() != killed; }));
    std::this_thread::sleep_for(seconds(4));
    load.SetRates({20, 20, 300});
    const auto since = Clock::now();
    std::this_thread::sleep_for(seconds(3));
    CHECK(AdmittedSince(load.Admitted(), since) >= 3 * kLimit / 2);
    platform.StartControlPlane();
  }
  CHECK(load.failed() == 0);
  CHECK(MostInOneSecond(load.Admitted()) <= kLimit);
}

TEST_CASE("a node that is stopped and goes on admits nothing on what others have meanwhile") {
  Platform platform(kNodes);
  platform.Serve("shop", kEcho);
  Load load(platform.http_ports(), Platform::Host("shop"));
  load.SetRates({300, 3, 3});
  std::this_thread::sleep_for(seconds(2));
  platform.node(0).Signal(SIGSTOP);
  load.SetRates({300, 300, 300});
  std::this_thread::sleep_for(seconds(7));
  platform.node(0).Signal(SIGCONT);
  std::this_thread::sleep_for(seconds(2));
  CHECK(MostInOneSecond(load.Admitted()) <= kLimit);
}

// How many of a second's requests one node admits.
size_t AdmittedInASecond(KeepAlive& client) {
  size_t admitted = 0;
  for (const auto end = Clock::now() + seconds(1); Clock::now() < end;) {
    admitted += client.Get(Platform::Host("shop")) == 200;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return admitted;
}

TEST_CASE("the part of a node that died is kept for it until it is removed, and then is the others'") {
  Platform platform(2);
  platform.Serve("shop", kEcho);
  CHECK(platform.Sluice({"nodes", "remove", "node-2"}).err.find("is connected") != std::string::npos);
  platform.node(1).Kill();
  KeepAlive client(platform.http_port(0));
  std::this_thread::sleep_for(seconds(3));  // its death must make no difference, also later
  CHECK(AdmittedInASecond(client) <= kLimit / 2 + 1);
  // Until the control plane has seen that its connection has ended.
  REQUIRE(Eventually([&] { return platform.Sluice({"nodes", "remove", "node-2"}).exit_code == 0; }));
  CHECK(platform.Sluice({"nodes", "remove", "node-2"}).exit_code == 3);
  CHECK(Eventually([&] { return AdmittedInASecond(client) > kLimit * 3 / 4; }));
}

}  // namespace
}  // namespace sluice::test
