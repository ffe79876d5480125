// What a control plane that stops tells those who wait.

#include <csignal>
#include <future>

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"

namespace sluice::test {
namespace {

TEST_CASE("a wait for a node that does not answer fails when the control plane stops") {
  Platform platform;
  platform.Ok({"gateway", "create", "shop", "--wait"});
  platform.node().Signal(SIGSTOP);
  auto put = std::async(std::launch::async, [&] {
    return platform.Sluice({"entity", "put", "service", "-g", "shop", "--wait", "--timeout", "60"},
                           R"({"name": "a", "host": "example.com"})");
  });
  CHECK(Eventually([&] { return platform.Ok({"gateway", "get", "shop"}).find("version     2") != std::string::npos; }));
  platform.StopControlPlane();
  platform.node().Signal(SIGCONT);
  CHECK(put.get().exit_code == 1);
}

}  // namespace
}  // namespace sluice::test
