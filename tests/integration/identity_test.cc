// Who belongs to the fleet: nodes join, renew, expire, are revoked, and change from one authority to the next.

#include <filesystem>

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"
#include "tests/support/load.h"

namespace sluice::test {
namespace {

using std::chrono::seconds;

constexpr char kHost[] = "shop.gw.localhost";

PlatformOptions ShortLived(int nodes) {
  PlatformOptions options{nodes};
  options.control_plane_flags = {"--node-certificate-ttl", "6"};
  return options;
}

bool Connected(Platform& platform, int node) {
  return platform.NodeMetric(node, "sluice_control_plane_connected") == 1;
}

void NewToken(Platform& platform, int node, const std::vector<std::string>& more = {}) {
  std::filesystem::remove(platform.TokenFile(node));
  std::vector<std::string> command = {"node", "token", "create", "--file", platform.TokenFile(node)};
  command.insert(command.end(), more.begin(), more.end());
  platform.Ok(command);
}

std::string Log(Platform& platform, int node) {
  return ReadFile(platform.state() + "/node-" + std::to_string(node + 1) + "/log");
}

void ForgetIdentity(Platform& platform, int node) {
  std::filesystem::remove_all(platform.state() + "/node-" + std::to_string(node + 1) + "/state/identity");
}

TEST_CASE("a token is good for one node: who has lost its certificate needs a new one, and its name back") {
  Platform platform;
  platform.Serve("shop", kEcho);
  CHECK(platform.Ok({"node", "token", "list"}).find("node-1") != std::string::npos);
  REQUIRE(Eventually([&] { return platform.OnDisk(0).find("/anything") != std::string::npos; }));
  platform.node(0).Kill();
  ForgetIdentity(platform, 0);
  platform.StartNode(0);  // from its disk
  CHECK(Eventually([&] { return Log(platform, 0).find("the join token was used already") != std::string::npos; }));
  CHECK(platform.Connect().Get(kHost, "/anything").status == 200);
  NewToken(platform, 0);
  CHECK(Eventually([&] { return Log(platform, 0).find("another node is called") != std::string::npos; }, seconds(60)));
  platform.Ok({"node", "revoke", "node-1"});
  CHECK(Eventually([&] { return Connected(platform, 0); }, seconds(60)));
  platform.Ok({"gateway", "create", "other", "--wait"});
}

TEST_CASE("a node sends its token to nobody but the authority that the token names") {
  Platform platform;
  platform.StopNode(0);
  ForgetIdentity(platform, 0);
  platform.Ok({"node", "revoke", "node-1"});
  NewToken(platform, 0);
  const std::string good = ReadFile(platform.TokenFile(0));
  WriteFile(platform.TokenFile(0), good.substr(0, good.find('.') + 1) + std::string(64, '0'));
  platform.StartNode(0, false);
  CHECK(Eventually([&] { return platform.NodeMetric(0, "sluice_certificate_failures_total") >= 2; }));
  CHECK(platform.Ok({"node", "token", "list"}).find("node-1", 0) ==
        platform.Ok({"node", "token", "list"}).rfind("node-1"));  // of the first token alone
  CHECK(platform.NodeMetric(0, "sluice_certificates_obtained_total") == 0);
  WriteFile(platform.TokenFile(0), good);
  CHECK(Eventually([&] { return Connected(platform, 0); }, seconds(60)));
}

TEST_CASE("nodes renew their certificates under traffic, and no request fails") {
  Platform platform(ShortLived(2));
  platform.Serve("shop", kEcho);
  Load load(platform.http_ports(), kHost);
  load.SetRate(20);
  std::this_thread::sleep_for(seconds(16));
  load.Stop();
  INFO(load.first_failure());
  CHECK(load.failed() == 0);
  CHECK(load.Admitted().size() > 400);
  for (int node : {0, 1}) {
    CHECK(platform.NodeMetric(node, "sluice_certificates_obtained_total") >= 3);
    CHECK(platform.NodeMetric(node, "sluice_certificate_seconds_to_expiry") > 0);
    CHECK(Eventually([&] { return Connected(platform, node); }));
  }
}

TEST_CASE("a node whose certificate expired while the control plane was away serves on, and joins with a new token") {
  Platform platform(ShortLived(1));
  platform.Serve("shop", kEcho);
  platform.StopControlPlane();
  REQUIRE(Eventually([&] { return platform.NodeMetric(0, "sluice_certificate_seconds_to_expiry") < 0; }));
  CHECK(platform.Connect().Get(kHost, "/anything").status == 200);
  CHECK(Eventually([&] { return Log(platform, 0).find("certificate is good no more") != std::string::npos; }));
  platform.StartControlPlane();
  std::this_thread::sleep_for(seconds(2));
  CHECK_FALSE(Connected(platform, 0));
  CHECK(platform.Connect().Get(kHost, "/anything").status == 200);
  NewToken(platform, 0);
  CHECK(Eventually([&] { return Connected(platform, 0); }, seconds(60)));
}

TEST_CASE("a node that is revoked loses its stream within seconds, is waited for no more, and serves on") {
  Platform platform(2);
  platform.Serve("shop", kEcho);
  const auto before = std::chrono::steady_clock::now();
  platform.Ok({"node", "revoke", "node-1"});
  CHECK(Eventually([&] { return !Connected(platform, 0); }, seconds(5)));
  INFO("ended after " << std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count() << " s");
  platform.Ok({"gateway", "create", "other", "--wait"});
  CHECK(Eventually([&] { return Log(platform, 0).find("was revoked") != std::string::npos; }));
  CHECK(platform.Connect(0).Get(kHost, "/anything").status == 200);
  CHECK(platform.Connect(0).Get("other.gw.localhost", "/anything").status == 404);
  platform.Ok({"nodes", "remove", "node-1"});
}

TEST_CASE("while one authority takes over from another no node is lost, and no request fails") {
  Platform platform(2);
  platform.Serve("shop", kEcho);
  Load load(platform.http_ports(), kHost);
  load.SetRate(20);
  const std::string old = ReadFile(platform.state() + "/ca.pem");
  platform.Ok({"authority", "rotate"});
  CHECK(platform.Sluice({"authority", "rotate"}).exit_code == 1);
  REQUIRE(Eventually([&] { return platform.Sluice({"authority", "retire"}).exit_code == 0; }, seconds(60)));
  REQUIRE(Eventually([&] { return ReadFile(platform.state() + "/ca.pem").find(old) == std::string::npos; }));
  for (int node : {0, 1}) CHECK(Eventually([&] { return Connected(platform, node); }));
  platform.StopControlPlane();
  platform.StartControlPlane();
  for (int node : {0, 1}) CHECK(Eventually([&] { return Connected(platform, node); }, seconds(60)));
  platform.Ok({"gateway", "create", "other", "--wait"});
  load.Stop();
  INFO(load.first_failure());
  CHECK(load.failed() == 0);
}

TEST_CASE("a self-managed gateway is served by its own node alone, and without the limits of serverless ones") {
  Platform platform(2);
  platform.Serve("shop", kEcho);
  const std::string nowhere = platform.state() + "/never";
  const Finished serverless = platform.Sluice({"node", "token", "create", "-g", "shop", "--file", nowhere});
  CHECK(serverless.err.find("is serverless") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(nowhere));
  platform.Ok({"gateway", "create", "own", "--self-managed"});
  platform.StopNode(1);
  std::filesystem::remove_all(platform.state() + "/node-2/state");
  platform.Ok({"nodes", "remove", "node-2"});
  NewToken(platform, 1, {"-g", "own"});
  platform.StartNode(1, false);
  REQUIRE(Eventually([&] { return Connected(platform, 1); }, seconds(60)));
  platform.Apply("own", kEcho);
  platform.Apply("shop", kEcho);  // its node is the other one
  REQUIRE(Eventually([&] { return platform.NodeReady(1); }));
  CHECK(platform.Connect(0).Get("own.gw.localhost", "/anything").status == 404);
  CHECK(platform.Connect(1).Get(kHost, "/anything").status == 404);
  // More than a serverless gateway admits in a second, on a machine that is fast enough to ask for it.
  CHECK(Eventually([&] {
    WireClient client = platform.Connect(1);
    const auto since = std::chrono::steady_clock::now();
    int served = 0;
    while (served < 150 && client.Get("own.gw.localhost", "/anything").status == 200) ++served;
    REQUIRE(served == 150);
    return std::chrono::steady_clock::now() - since < seconds(1);
  }));
}

}  // namespace
}  // namespace sluice::test
