// A node whose gateways rest until they are asked for, with real processes.

#include <csignal>
#include <thread>

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"
#include "tests/support/load.h"

namespace sluice::test {
namespace {

using std::chrono::seconds;

PlatformOptions Resting(int rest_after_s, int nodes = 1) {
  PlatformOptions options;
  options.nodes = nodes;
  options.node_flags = {"--awake", "0", "--rest-after", std::to_string(rest_after_s)};
  return options;
}

std::string Name(int number) { return "g" + std::to_string(number); }

int Status(Platform& platform, const std::string& gateway, const std::string& path = "/anything") {
  return platform.Connect().Get(Platform::Host(gateway), path).status;
}

double Awake(Platform& platform) { return platform.NodeMetric(0, "sluice_gateways_awake"); }

// The document with one more path of the route.
std::string With(const std::string& path) {
  std::string document = kEcho;
  return document.replace(document.find("\"/anything\""), 11, "\"/anything\", \"" + path + "\"");
}

TEST_CASE("gateways rest until their first request and again when they are not used, and all are served") {
  Platform platform(Resting(1));
  for (int i = 0; i < 20; ++i) platform.Serve(Name(i), kEcho);
  CHECK(platform.NodeMetric(0, "sluice_gateways") == 20);
  CHECK(Eventually([&] { return Awake(platform) == 0; }));
  for (int i = 0; i < 20; ++i) CHECK(Status(platform, Name(i)) == 200);
  CHECK(platform.NodeMetric(0, "sluice_gateway_wakes_total") >= 20);
  CHECK(Eventually([&] { return Awake(platform) == 0; }));
  for (int i = 0; i < 20; ++i) CHECK(Status(platform, Name(i)) == 200);
  CHECK(Status(platform, "nobody") == 404);
  CHECK(platform.NodeMetric(0, "sluice_gateways") == 20);
}

TEST_CASE("a change of a gateway at rest is live with --wait, and a deleted one is gone") {
  Platform platform(Resting(1));
  platform.Serve("shop", kEcho);
  REQUIRE(Eventually([&] { return Awake(platform) == 0; }));
  platform.Apply("shop", With("/status/204"));
  CHECK(Status(platform, "shop", "/status/204") == 204);
  REQUIRE(Eventually([&] { return Awake(platform) == 0; }));
  platform.Ok({"gateway", "delete", "shop", "--yes", "--wait"});
  CHECK(Status(platform, "shop") == 404);
}

TEST_CASE("after a restart without a control plane every gateway on the disk answers its first request") {
  Platform platform(Resting(60));
  for (int i = 0; i < 20; ++i) platform.Serve(Name(i), kEcho);
  platform.Apply(Name(19), With("/status/205"));
  REQUIRE(Eventually([&] { return platform.OnDisk(0).find("/status/205") != std::string::npos; }));
  platform.StopControlPlane();
  platform.node().Kill();
  platform.StartNode(0);
  CHECK(platform.NodeMetric(0, "sluice_gateways") == 20);
  CHECK(Awake(platform) == 0);
  for (int i = 0; i < 20; ++i) CHECK(Status(platform, Name(i)) == 200);
  CHECK(Status(platform, Name(19), "/status/205") == 205);
  CHECK(Awake(platform) == 20);
}

TEST_CASE("no request fails while gateways rest, wake and change") {
  Platform platform(Resting(1));
  for (int i = 0; i < 4; ++i) platform.Serve(Name(i), kEcho);
  std::vector<std::unique_ptr<Load>> loads;
  for (int i = 0; i < 4; ++i) loads.push_back(std::make_unique<Load>(platform.http_ports(), Platform::Host(Name(i))));
  const double before = platform.NodeMetric(0, "sluice_gateway_wakes_total");
  for (int round = 0; round < 6; ++round) {
    for (const auto& load : loads) load->SetRate(20);
    platform.Apply(Name(round % 4), With("/round/" + std::to_string(round)));
    for (const auto& load : loads) load->SetRate(0);
    REQUIRE(Eventually([&] { return Awake(platform) == 0; }));
  }
  for (const auto& load : loads) {
    CHECK(load->failed() == 0);
    CHECK(load->first_failure() == "");
    CHECK(load->Admitted().size() >= 6);
  }
  CHECK(platform.NodeMetric(0, "sluice_gateway_wakes_total") >= before + 4);
}

TEST_CASE("no second has more than the limit, however often a gateway rests") {
  Platform platform(Resting(1, 2));
  platform.Serve("shop", kEcho);
  Load load(platform.http_ports(), Platform::Host("shop"));
  for (int round = 0; round < 3; ++round) {
    load.SetRate(300);
    std::this_thread::sleep_for(seconds(2));
    load.SetRate(0);
    REQUIRE(Eventually([&] { return Awake(platform) == 0; }));
  }
  CHECK(load.failed() == 0);
  CHECK(MostInOneSecond(load.Admitted()) <= 100);
  CHECK(load.Admitted().size() >= 300);
}

}  // namespace
}  // namespace sluice::test
