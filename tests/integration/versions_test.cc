// Versions as a person works with them: what changed, back again, and who serves it.

#include <csignal>

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"

namespace sluice::test {
namespace {

constexpr char kHost[] = "shop.gw.localhost";

std::string OnPath(const std::string& path) {
  std::string document = kEcho;
  document.replace(document.find("[\"/anything\"]"), 13, "[\"" + path + "\"]");
  return document;
}

std::string VersionOf(const WireResponse& response) {
  const auto found = response.fields.find("x-sluice-config-version");
  return found == response.fields.end() ? "" : found->second;
}

// Version 2 serves /anything, version 3 /status/204 instead.
struct Shop : Platform {
  explicit Shop(int nodes = 1) : Platform(nodes) {
    Serve("shop", kEcho);
    Apply("shop", OnPath("/status/204"));
  }
};

TEST_CASE("a write that was waited for answers on every node with its version") {
  Shop shop(2);
  for (int version = 4; version < 24; ++version) {
    shop.Ok({"rollback", "-g", "shop", version % 2 == 0 ? "2" : "3", "--wait"});
    for (int node = 0; node < 2; ++node) {
      const WireResponse response = shop.Connect(node).Get(kHost, "/");
      INFO("node " << node << ": " << response.head);
      CHECK(VersionOf(response) == std::to_string(version));
    }
  }
}

TEST_CASE("two versions are compared, and the older one is served again") {
  Shop shop;
  CHECK(shop.Connect().Get(kHost, "/anything").status == 404);
  const Finished diff = shop.Sluice({"diff", "-g", "shop", "--from", "2", "--to", "3"});
  CHECK(diff.exit_code == 2);
  CHECK(diff.out == "~ route anything\n    paths[0]: \"/anything\" -> \"/status/204\"\n");
  const Finished back = shop.Sluice({"rollback", "-g", "shop", "2", "--wait", "-m", "too early"});
  CHECK(back.exit_code == 0);
  CHECK(back.err == "shop is at version 4 (1 changes), live on node-1\n");
  CHECK(shop.Connect().Get(kHost, "/anything").status == 200);
  CHECK(shop.Sluice({"diff", "-g", "shop", "--from", "2", "--to", "4"}).exit_code == 0);
  const std::string versions = shop.Ok({"versions", "-g", "shop"});
  CHECK(versions.find("+0 ~1 -0") != std::string::npos);
  CHECK(versions.find("too early") != std::string::npos);
}

TEST_CASE("what somebody else changed meanwhile is not lost") {
  Shop shop;
  const Finished refused = shop.Sluice({"rollback", "-g", "shop", "2", "--if-version", "2"});
  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find("is at version 3, not 2 any more") != std::string::npos);
  CHECK(shop.Sluice({"rollback", "-g", "shop", "2", "--if-version", "3"}).exit_code == 0);
}

TEST_CASE("a command that is repeated with its request id is done once") {
  Shop shop;
  for (int i = 0; i < 3; ++i) {
    const Finished done = shop.Sluice({"rollback", "-g", "shop", "2", "--request-id", "job-7"});
    CHECK(done.err == "shop is at version 4 (1 changes)\n");
  }
  CHECK(shop.database().Query("select outcome from audit where request_id = 'job-7' order by id") ==
        "OK\nREPEATED\nREPEATED\n");
}

TEST_CASE("a wait that times out names the node that is missing") {
  Shop shop(2);
  shop.node(1).Signal(SIGSTOP);
  const Finished late = shop.Sluice({"rollback", "-g", "shop", "2", "--wait", "--timeout", "1"});
  shop.node(1).Signal(SIGCONT);
  CHECK(late.exit_code == 5);
  CHECK(late.err.find("waiting for node-2;") != std::string::npos);
}

TEST_CASE("a watch shows a change on its way to the nodes") {
  Shop shop;
  const std::string log = shop.state() + "/watch.log";
  Process watch({SLUICE_BIN "/sluice", "--server", "127.0.0.1:" + std::to_string(shop.admin_port()), "--token-file",
                 shop.state() + "/admin-token", "gateway", "watch", "shop"},
                log);
  CHECK(Eventually([&] { return ReadFile(log).find("version 3  live 1/1\n") != std::string::npos; }));
  shop.Ok({"rollback", "-g", "shop", "2"});
  CHECK(Eventually([&] { return ReadFile(log).find("version 4  live 1/1\n") != std::string::npos; }));
  shop.Ok({"gateway", "delete", "shop", "--yes"});
  CHECK(watch.Wait() == 3);
}

}  // namespace
}  // namespace sluice::test
