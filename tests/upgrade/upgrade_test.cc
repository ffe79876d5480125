// Processes of the release before this one beside those of this one, and what clients notice of the change: nothing.

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"
#include "tests/support/load.h"

namespace sluice::test {
namespace {

const std::string kPrevious = SLUICE_PREVIOUS_BIN;
const std::string kThis = SLUICE_BIN;
constexpr int kRate = 20;  // requests a second and node

void Change(Platform& platform, int number) {
  platform.Apply("shop", kEcho + std::string("  tags: [\"n") + std::to_string(number) + "\"]\n");
}

// A write through every replica, live on every node, whatever each of them is.
void ChangeThroughAll(Platform& platform, int replicas, int number) {
  for (int i = 0; i < replicas; ++i) {
    platform.UseReplica(i);
    Change(platform, 10 * number + i);
  }
}

void Replace(Platform& platform, int replica, const std::string& programs) {
  platform.UseReplica(replica);
  platform.StopControlPlane();
  platform.UsePrograms(programs);
  platform.StartControlPlane();
}

// A node, while the load balancer sends its clients to another one.
void Replace(Platform& platform, int node, Link& clients, const std::string& programs) {
  clients.SetTarget(platform.http_port(node == 0 ? 1 : 0));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  platform.StopNode(node);
  platform.UsePrograms(programs);
  platform.StartNode(node);
  clients.SetTarget(platform.http_port(node));
}

TEST_CASE("replicas, then nodes are upgraded one after another, and no request fails") {
  Platform platform({.nodes = 2, .replicas = 2, .programs = kPrevious});
  platform.Serve("shop", kEcho);
  Link clients[] = {Link(platform.http_port(0)), Link(platform.http_port(1))};
  Load load({clients[0].port(), clients[1].port()}, Platform::Host("shop"));
  load.SetRate(kRate);
  int change = 0;
  for (int replica = 0; replica < 2; ++replica) {
    Replace(platform, replica, kThis);
    ChangeThroughAll(platform, 2, ++change);
  }
  for (int node = 0; node < 2; ++node) {
    Replace(platform, node, clients[node], kThis);
    ChangeThroughAll(platform, 2, ++change);
  }
  load.Stop();
  INFO(load.first_failure());
  CHECK(load.failed() == 0);
  CHECK(load.Admitted().size() > 10);
}

TEST_CASE("an upgrade that is taken back loses nothing: the previous release goes on with what this one left") {
  Platform platform({.nodes = 2, .replicas = 2, .programs = kThis});
  platform.Serve("shop", kEcho);
  Link clients[] = {Link(platform.http_port(0)), Link(platform.http_port(1))};
  Load load({clients[0].port(), clients[1].port()}, Platform::Host("shop"));
  load.SetRate(kRate);
  ChangeThroughAll(platform, 2, 1);
  for (int node = 0; node < 2; ++node) Replace(platform, node, clients[node], kPrevious);
  ChangeThroughAll(platform, 2, 2);
  for (int replica = 0; replica < 2; ++replica) Replace(platform, replica, kPrevious);
  ChangeThroughAll(platform, 2, 3);
  load.Stop();
  INFO(load.first_failure());
  CHECK(load.failed() == 0);
}

TEST_CASE("both releases share one limit: no second has more") {
  Platform platform({.nodes = 3, .replicas = 1, .programs = kPrevious});
  platform.Serve("shop", kEcho);
  Replace(platform, 0, kThis);
  platform.StopNode(2);
  platform.StartNode(2);
  Load load(platform.http_ports(), Platform::Host("shop"));
  for (const std::vector<int>& rates : {std::vector{120, 120, 120}, {300, 6, 3}, {3, 6, 300}}) {
    load.SetRates(rates);
    std::this_thread::sleep_for(std::chrono::seconds(3));
  }
  CHECK(load.failed() == 0);
  CHECK(MostInOneSecond(load.Admitted()) <= 100);
  CHECK(load.Admitted().size() > 3 * 2 * 100);
}

}  // namespace
}  // namespace sluice::test
