// What a node has on its disk: the last good configuration, damaged or with no room for it, and what it knows of its
// crashes.

#include <sys/resource.h>

#include <csignal>

#include "catch2/catch.hpp"
#include "common/base/version.h"
#include "data-plane/sync/crash_guard.h"
#include "tests/integration/platform.h"

namespace sluice::test {
namespace {

constexpr char kHost[] = "shop.gw.localhost";

// The document with one route of that path.
std::string With(const std::string& path) {
  std::string document = kEcho;
  return document.replace(document.find("\"/anything\""), 11, "\"/anything\", \"" + path + "\"");
}

int StatusOf(Platform& platform, const std::string& path) { return platform.Connect().Get(kHost, path).status; }

// As processes of the node leave it that end while they try the only gateway's latest configuration.
void Crash(Platform& platform, int times) {
  const auto [id, config] = platform.Compiled();
  const int64_t revision = std::stoll(platform.database().Query("select revision from gateway_config"));
  const sync::CrashGuard::Candidate tried{id, revision, std::make_shared<const std::string>(config)};
  for (int i = 0; i < times; ++i) {
    sync::CrashGuard(platform.state() + "/node-1/state", std::string(kVersion)).Trying({&tried, 1});
  }
}

TEST_CASE("a node that crashed twice on a configuration serves the one before, says so, and takes the next") {
  Platform platform;
  platform.Serve("shop", kEcho);
  REQUIRE(Eventually([&] { return platform.OnDisk(0).find("/anything") != std::string::npos; }));
  platform.node().Kill();
  platform.Ok({"apply", "-g", "shop", "-f", "-"}, platform.WithUpstream(With("/status/204")));
  Crash(platform, 1);
  platform.StartNode(0);  // once may have been anything
  REQUIRE(Eventually([&] { return StatusOf(platform, "/status/204") == 204; }));
  platform.node().Kill();
  platform.Ok({"apply", "-g", "shop", "-f", "-"}, platform.WithUpstream(With("/status/205")));
  Crash(platform, 2);
  platform.StartNode(0);
  REQUIRE(Eventually(
      [&] { return platform.Ok({"gateway", "get", "shop", "-o", "json"}).find("CRASHED") != std::string::npos; }));
  CHECK(StatusOf(platform, "/anything") == 200);
  CHECK(StatusOf(platform, "/status/205") == 404);
  platform.Apply("shop", With("/status/206"));
  CHECK(StatusOf(platform, "/status/206") == 206);
}

TEST_CASE("a node killed while it tries a configuration serves it in its next life") {
  Platform platform;
  platform.Serve("shop", kEcho);
  platform.node().Signal(SIGSTOP);
  platform.Ok({"apply", "-g", "shop", "-f", "-"}, platform.WithUpstream(With("/status/204")));
  platform.node().Kill();
  Crash(platform, 1);
  platform.StartNode(0);
  REQUIRE(Eventually([&] { return StatusOf(platform, "/status/204") == 204; }));
  CHECK(ReadFile(platform.state() + "/node-1/state/trying") == "");
}

TEST_CASE("a node whose newest snapshot is damaged serves the one before it") {
  Platform platform;
  platform.Serve("shop", kEcho);
  REQUIRE(Eventually([&] { return platform.OnDisk(0).find("/anything") != std::string::npos; }));
  platform.Apply("shop", With("/status/204"));
  REQUIRE(Eventually([&] { return platform.OnDisk(0).find("/status/204") != std::string::npos; }));
  platform.StopControlPlane();
  platform.node().Kill();
  const std::string newest = platform.state() + "/node-1/state/last-good";
  std::string bytes = ReadFile(newest);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  WriteFile(newest, bytes);
  platform.StartNode(0);
  CHECK(StatusOf(platform, "/anything") == 200);
  CHECK(StatusOf(platform, "/status/204") == 404);
}

TEST_CASE("a node whose disk is full takes changes and serves on, and writes when there is room again") {
  Platform platform;
  platform.Serve("shop", kEcho);
  const rlimit none{0, RLIM_INFINITY}, any{RLIM_INFINITY, RLIM_INFINITY};  // bytes that a file may grow to
  REQUIRE(prlimit(platform.node().pid(), RLIMIT_FSIZE, &none, nullptr) == 0);
  platform.Apply("shop", With("/status/204"));
  CHECK(StatusOf(platform, "/status/204") == 204);
  REQUIRE(Eventually([&] { return platform.NodeMetric(0, "sluice_snapshot_failures_total") > 0; }));
  CHECK(StatusOf(platform, "/anything") == 200);
  CHECK(platform.NodeReady(0));
  REQUIRE(prlimit(platform.node().pid(), RLIMIT_FSIZE, &any, nullptr) == 0);
  REQUIRE(Eventually([&] { return platform.OnDisk(0).find("/status/204") != std::string::npos; },
                     std::chrono::seconds(60)));
}

}  // namespace
}  // namespace sluice::test
