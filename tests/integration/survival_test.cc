// What goes on when a part is gone.

#include <csignal>

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "control-plane/store/seal.h"
#include "tests/integration/platform.h"

namespace sluice::test {
namespace {

constexpr char kHost[] = "shop.gw.localhost";

TEST_CASE("with the control plane and the database gone, a restarted node serves what it served before") {
  Platform platform;
  platform.Serve("shop", kEcho);
  REQUIRE(Eventually([&] { return platform.OnDisk(0).find("/anything") != std::string::npos; }));
  platform.StopControlPlane();
  platform.database().Stop();
  CHECK(platform.Connect().Get(kHost, "/anything").status == 200);
  platform.node().Kill();
  platform.StartNode(0);
  CHECK(platform.Connect().Get(kHost, "/anything").status == 200);
  platform.StopNode(0);  // which keeps its part of the limits, as nobody is told that it leaves
  platform.StartNode(0);
  CHECK(platform.Connect().Get(kHost, "/anything").status == 200);
  CHECK(platform.Connect().Get("nobody.gw.localhost", "/anything").status == 404);
}

TEST_CASE("a new node without a control plane is alive but not ready, and says 503 instead of 404") {
  Platform platform(2);
  platform.Serve("shop", kEcho);
  platform.StopNode(1);
  Run({"find", platform.state() + "/node-2/state", "-maxdepth", "1", "-type", "f", "-delete"});
  platform.StopControlPlane();
  platform.StartNode(1, false);
  REQUIRE(Eventually([&] {
    return Run({"curl", "-fsS", "http://127.0.0.1:" + std::to_string(platform.ops_port(1)) + "/healthz"}).exit_code ==
           0;
  }));
  CHECK_FALSE(platform.NodeReady(1));
  CHECK(platform.Connect(1).Get(kHost, "/anything").status == 503);
}

TEST_CASE("a node takes up changes again when the control plane comes back") {
  Platform platform;
  platform.Serve("shop", kEcho);
  platform.StopControlPlane();
  platform.StartControlPlane();
  REQUIRE(Eventually(
      [&] {
        return platform.Ok({"nodes", "-o", "json"}).find("\"connected\": true") != std::string::npos ||
               platform.Ok({"nodes", "-o", "json"}).find("\"connected\":true") != std::string::npos;
      },
      std::chrono::seconds(60)));
  platform.Apply("shop", "_format_version: \"3.0\"\n");
  CHECK(platform.Connect().Get(kHost, "/anything").status == 404);
}

TEST_CASE("writes are refused while the database is away and work again when it is back") {
  Platform platform;
  platform.Serve("shop", kEcho);
  platform.database().Stop();
  const Finished refused = platform.Sluice({"gateway", "create", "late"});
  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find("database") != std::string::npos);
  CHECK(platform.Connect().Get(kHost, "/anything").status == 200);
  platform.database().Start();
  REQUIRE(Eventually([&] { return platform.Sluice({"gateway", "create", "late"}).exit_code == 0; }));
}

TEST_CASE("a node that is told to stop finishes and exits with 0") {
  Platform platform;
  platform.Serve("shop", kEcho);
  CHECK(platform.Connect().Get(kHost, "/anything").status == 200);
  platform.node().Signal(SIGTERM);
  CHECK(platform.node().Wait() == 0);
}

// Replaces text in the compiled configuration of the only gateway, as nobody without the secret key could.
void Tamper(Platform& platform, const std::string& from, const std::string& to) {
  const auto [id, config] = platform.Compiled();
  const auto keys = store::KeyRing::Parse(ReadFile(platform.state() + "/secret-key"));
  const std::string sealed =
      keys->Seal(std::string(config).replace(config.find(from), from.size(), to), {id, "gateway", id, "config"});
  platform.database().Query(
      "with r as (update config_clock set revision = revision + 1 returning revision) update gateway_config set "
      "revision = r.revision, config = decode('" +
      absl::BytesToHexString(sealed) + "', 'hex') from r");
}

TEST_CASE(
    "a node refuses a configuration that it may not serve, keeps the last good one, and the control plane shows it") {
  Platform platform;
  platform.Serve("shop", kEcho);
  platform.Ok({"plan", "set", "lax", "--allow-plugins", "file-log"});
  // What the control plane would never write is written behind its back: the name of a supported plugin, byte for byte
  // as long as the refused one, is replaced in the compiled configuration.
  std::string logged = kEcho;
  logged += "plugins:\n- name: http-log\n  config: {http_endpoint: UPSTREAM/anything}\n";
  platform.Apply("shop", logged);
  Tamper(platform, "http-log", "file-log");
  REQUIRE(Eventually([&] {
    return platform.Ok({"gateway", "get", "shop", "-o", "json"}).find("LOCAL_AGENT") != std::string::npos;
  }));
  CHECK(platform.Connect().Get(kHost, "/anything").status == 200);
}

}  // namespace
}  // namespace sluice::test
