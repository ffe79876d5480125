// A node that holds the configurations of its working set, with real processes.

#include <csignal>
#include <thread>

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"
#include "tests/support/load.h"

namespace sluice::test {
namespace {

using std::chrono::seconds;

constexpr int kGateways = 50;
constexpr int kWorkingSet = 5;

PlatformOptions OnDemand(int nodes = 1) {
  PlatformOptions options;
  options.nodes = nodes;
  options.node_flags = {"--config-mode", "on-demand", "--working-set", std::to_string(kWorkingSet)};
  return options;
}

std::string Name(int number) { return "g" + std::to_string(number); }

void ServeMany(Platform& platform, int count = kGateways) {
  for (int i = 0; i < count; ++i) platform.Serve(Name(i), kEcho);
}

int Status(Platform& platform, const std::string& gateway) {
  return platform.Connect().Get(Platform::Host(gateway), "/anything").status;
}

double Loaded(Platform& platform) { return platform.NodeMetric(0, "sluice_gateways"); }

TEST_CASE("fifty gateways on a node that holds five: each answers at its first request, and the unused are let go of") {
  Platform platform(OnDemand());
  ServeMany(platform);
  CHECK(platform.NodeMetric(0, "sluice_gateways_known") == kGateways);
  CHECK(Loaded(platform) == 0);
  for (int i = 0; i < kGateways; ++i) CHECK(Status(platform, Name(i)) == 200);
  CHECK(platform.NodeMetric(0, "sluice_gateway_load_timeouts_total") == 0);
  CHECK(platform.NodeMetric(0, "sluice_gateway_fetches_total") == kGateways);
  CHECK(Eventually([&] { return Loaded(platform) == kWorkingSet; }));
  CHECK(platform.NodeMetric(0, "sluice_gateway_evictions_total") == kGateways - kWorkingSet);
  for (int i = 0; i < kGateways; ++i) CHECK(Status(platform, Name(i)) == 200);
  CHECK(Status(platform, "nobody") == 404);
}

TEST_CASE("a change of a gateway that is held is live with --wait, and one of a head loads nothing") {
  Platform platform(OnDemand());
  ServeMany(platform, 2);
  CHECK(Status(platform, Name(0)) == 200);
  CHECK(Loaded(platform) == 1);
  platform.Apply(Name(0), "_format_version: \"3.0\"\n");
  CHECK(Status(platform, Name(0)) == 404);
  platform.Apply(Name(1), "_format_version: \"3.0\"\n");
  CHECK(Loaded(platform) == 1);
  CHECK(Status(platform, Name(1)) == 404);
  platform.Ok({"gateway", "delete", Name(1), "--yes", "--wait"});
  CHECK(platform.NodeMetric(0, "sluice_gateways_known") == 1);
}

TEST_CASE("no second has more than the limit, however often a gateway is let go of and loaded again") {
  Platform platform(OnDemand());
  ServeMany(platform, kWorkingSet + 2);
  Load load(platform.http_ports(), Platform::Host(Name(0)));
  for (int round = 0; round < 2; ++round) {
    load.SetRate(300);
    std::this_thread::sleep_for(seconds(3));
    load.SetRate(0);
    const double before = platform.NodeMetric(0, "sluice_gateway_evictions_total");
    for (int i = 1; i < kWorkingSet + 2; ++i) Status(platform, Name(i));
    REQUIRE(Eventually([&] {
      for (int i = 1; i < kWorkingSet + 2; ++i) Status(platform, Name(i));
      return platform.NodeMetric(0, "sluice_gateway_evictions_total") > before;
    }));
  }
  load.SetRate(300);
  std::this_thread::sleep_for(seconds(2));
  CHECK(load.failed() == 0);
  CHECK(MostInOneSecond(load.Admitted()) <= 100);
}

TEST_CASE("the limit of a gateway that one node alone has loaded is that node's, nearly all of it") {
  Platform platform(OnDemand(2));
  platform.Serve("shop", kEcho);
  Load load({platform.http_port(0)}, Platform::Host("shop"));
  load.SetRate(300);
  std::this_thread::sleep_for(seconds(2));
  const size_t before = load.Admitted().size();
  std::this_thread::sleep_for(seconds(3));
  CHECK(load.Admitted().size() - before >= 225);
  CHECK(platform.NodeMetric(1, "sluice_gateways") == 0);
  CHECK(MostInOneSecond(load.Admitted()) <= 100);
}

TEST_CASE("without a control plane the working set is served and the rest is 503, also after a restart") {
  Platform platform(OnDemand());
  ServeMany(platform, 3);
  CHECK(Status(platform, Name(0)) == 200);
  REQUIRE(Eventually([&] { return platform.OnDisk(0).find("/anything") != std::string::npos; }));
  platform.control_plane().Kill();
  REQUIRE(Eventually([&] { return platform.NodeMetric(0, "sluice_control_plane_connected") == 0; }));
  for (int round = 0; round < 2; ++round) {
    CHECK(Status(platform, Name(0)) == 200);
    CHECK(Status(platform, Name(1)) == 503);
    CHECK(Status(platform, "nobody") == 404);
    platform.node().Kill();
    platform.StartNode(0);
  }
  platform.StartControlPlane();
  CHECK(Eventually([&] { return Status(platform, Name(1)) == 200; }));
}

}  // namespace
}  // namespace sluice::test
