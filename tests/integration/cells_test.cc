// Two cells: where gateways are placed, and how they move from one to the other under load.

#include <algorithm>
#include <thread>

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"
#include "tests/support/load.h"

namespace sluice::test {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr size_t kLimit = 100;  // of the plan

int Answer(Platform& platform, int node, const std::string& gateway) {
  return KeepAlive(platform.http_port(node)).Get(Platform::Host(gateway));
}

bool Shows(Platform& platform, const std::string& gateway, const std::string& name, const std::string& value) {
  const std::string shown = platform.Ok({"gateway", "get", gateway, "-o", "json"});
  return shown.find("\"" + name + "\": \"" + value + "\"") != std::string::npos;
}

bool IsDrained(Platform& platform) { return platform.Ok({"cell"}).find("drained") != std::string::npos; }

TEST_CASE("gateways are spread over the cells, each is served in its own and known in no other") {
  Platform platform({.nodes = 2, .cells = {"default", "west"}});
  for (const char* name : {"one", "two"}) platform.Serve(name, kEcho);
  CHECK(Shows(platform, "one", "cell", "default"));
  CHECK(Shows(platform, "two", "cell", "west"));
  CHECK(Shows(platform, "two", "address", "west.test"));
  CHECK(Answer(platform, 0, "one") == 200);
  CHECK(Answer(platform, 1, "two") == 200);
  CHECK(Answer(platform, 1, "one") == 404);
  CHECK(Answer(platform, 0, "two") == 404);
  const std::string cells = platform.Ok({"cell"});
  CHECK(cells.find("west") != std::string::npos);
  CHECK(platform.Sluice({"cell", "delete", "west"}).err.find("1 gateways and 1 nodes are in it") != std::string::npos);
  CHECK(platform.Sluice({"cell", "drain", "nowhere"}).exit_code == 3);
}

TEST_CASE("a draining cell's gateways move under load: no request fails, and no second has more than the limit") {
  Platform platform({.nodes = 4, .control_plane_flags = {"--move-overlap", "6"},
                     .cells = {"default", "default", "west", "west"}});
  platform.Serve("shop", kEcho);
  REQUIRE(Shows(platform, "shop", "cell", "default"));
  const std::vector<uint16_t> ports = platform.http_ports();
  Load here({ports[0], ports[1]}, Platform::Host("shop"));
  here.SetRates({200, 50});
  platform.Ok({"cell", "drain", "default"});
  // Clients follow what they are told, some of them late.
  REQUIRE(Eventually([&] { return Shows(platform, "shop", "cell", "west"); }));
  Load there({ports[2], ports[3]}, Platform::Host("shop"));
  there.SetRates({200, 50});
  std::this_thread::sleep_for(seconds(3));
  here.Stop();
  REQUIRE(Eventually([&] { return IsDrained(platform); }));
  std::this_thread::sleep_for(seconds(2));
  const auto since = Clock::now();
  std::this_thread::sleep_for(seconds(3));
  there.Stop();
  INFO(here.first_failure() << there.first_failure());
  CHECK(here.failed() == 0);
  CHECK(there.failed() == 0);
  std::vector<Exchange> admitted = here.Admitted();
  const std::vector<Exchange> later = there.Admitted();
  const auto usable = std::count_if(later.begin(), later.end(), [&](const Exchange& one) { return one.sent >= since; });
  CHECK(static_cast<size_t>(usable) >= 3 * kLimit * 3 / 4);  // all of it is the new cell's
  admitted.insert(admitted.end(), later.begin(), later.end());
  CHECK(MostInOneSecond(admitted) <= kLimit);
  CHECK(Answer(platform, 0, "shop") == 404);
}

TEST_CASE("a node of a draining cell that died holds its gateways until it is removed, and a restart changes nothing") {
  Platform platform({.nodes = 3, .control_plane_flags = {"--move-overlap", "0"},
                     .cells = {"default", "default", "west"}});
  platform.Serve("shop", kEcho);
  platform.node(1).Kill();
  platform.Ok({"cell", "drain", "default"});
  REQUIRE(Eventually([&] { return Shows(platform, "shop", "moving_to", "west"); }));
  platform.StopControlPlane();
  platform.StartControlPlane();
  std::this_thread::sleep_for(seconds(8));
  CHECK(platform.Ok({"cell"}).find("node-2") != std::string::npos);  // missing
  CHECK(Shows(platform, "shop", "cell", "default"));
  CHECK(Answer(platform, 0, "shop") == 200);
  REQUIRE(Eventually([&] { return platform.Sluice({"nodes", "remove", "node-2"}).exit_code == 0; }));
  REQUIRE(Eventually([&] { return IsDrained(platform); }));
  CHECK(Answer(platform, 2, "shop") == 200);
}

}  // namespace
}  // namespace sluice::test
