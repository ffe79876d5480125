// Several replicas of the control plane over one database.

#include <csignal>

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"

namespace sluice::test {
namespace {

constexpr char kHost[] = "shop.gw.localhost";

// Answers every request with the text.
std::string Saying(const std::string& text) {
  std::string document = kEcho;
  document += "plugins:\n- name: request-termination\n  config: {status_code: 200, message: ";
  document += text;
  document += "}\n";
  return document;
}

// A node that was killed admits nothing of its own in its first second.
bool Says(Platform& platform, int node, const std::string& text) {
  WireResponse response;
  const bool admitted = Eventually([&] {
    response = platform.Connect(node).Get(kHost, "/anything");
    return response.status != 429;
  });
  return admitted && response.body.find(text) != std::string::npos;
}

double NodesOf(Platform& platform, int replica) {
  platform.UseReplica(replica);
  return platform.ControlPlaneMetric("sluice_connected_nodes");
}

// Nodes begin with any of the replicas: some begin again until both have one.
void Spread(Platform& platform, int nodes) {
  for (int attempt = 0; attempt < 30 && (NodesOf(platform, 0) <= 0 || NodesOf(platform, 1) <= 0); ++attempt) {
    platform.node(attempt % nodes).Kill();
    platform.StartNode(attempt % nodes);
    REQUIRE(Eventually([&] { return NodesOf(platform, 0) + NodesOf(platform, 1) == nodes; }));
  }
  REQUIRE(NodesOf(platform, 0) > 0);
  REQUIRE(NodesOf(platform, 1) > 0);
}

TEST_CASE("a change at either replica is live on the nodes of both when the wait for it ends") {
  constexpr int kNodes = 3;
  Platform platform(kNodes, 2);
  platform.Serve("shop", kEcho);
  Spread(platform, kNodes);
  for (int change = 1; change <= 20; ++change) {
    platform.UseReplica(change % 2);
    const std::string text = "change-" + std::to_string(change) + "-";
    platform.Apply("shop", Saying(text));
    for (int node = 0; node < kNodes; ++node) CHECK(Says(platform, node, text));
  }
  CHECK(platform.ControlPlaneMetric("sluice_replicas") == 2);
  const std::string shown = platform.Ok({"gateway", "get", "shop", "-o", "json"});
  for (const char* node : {"node-1", "node-2", "node-3"}) CHECK(shown.find(node) != std::string::npos);
}

TEST_CASE("a wait at one replica does not end before a stopped node of the other has the change") {
  Platform platform(2, 2);
  platform.Serve("shop", kEcho);
  Spread(platform, 2);
  for (int node = 0; node < 2; ++node) {
    for (int replica = 0; replica < 2; ++replica) {
      platform.UseReplica(replica);
      platform.node(node).Signal(SIGSTOP);
      const Finished late = platform.Sluice({"apply", "-g", "shop", "-f", "-", "--wait", "--timeout", "2"},
                                            platform.WithUpstream(Saying("stopped-" + std::to_string(replica))));
      platform.node(node).Signal(SIGCONT);
      CHECK(late.exit_code != 0);
      CHECK((late.out + late.err).find("node-" + std::to_string(node + 1)) != std::string::npos);
      platform.Apply("shop", Saying("goes-on"));
      CHECK(Says(platform, node, "goes-on"));
    }
  }
}

TEST_CASE("when a replica is killed its nodes go to the other within seconds, and nothing written is lost") {
  constexpr int kNodes = 3;
  Platform platform(kNodes, 2);
  platform.Serve("shop", kEcho);
  Spread(platform, kNodes);
  for (int killed = 0; killed < 2; ++killed) {
    const std::string before = "before-" + std::to_string(killed), after = "after-" + std::to_string(killed);
    platform.UseReplica(killed);
    platform.Apply("shop", Saying(before));
    platform.control_plane().Kill();
    platform.UseReplica(1 - killed);
    CHECK(platform.Ok({"dump", "-g", "shop"}).find(before) != std::string::npos);
    REQUIRE(Eventually([&] { return platform.ControlPlaneMetric("sluice_connected_nodes") == kNodes; }));
    platform.Apply("shop", Saying(after));
    for (int node = 0; node < kNodes; ++node) CHECK(Says(platform, node, after));
    platform.UseReplica(killed);
    platform.StartControlPlane();
  }
}

}  // namespace
}  // namespace sluice::test
