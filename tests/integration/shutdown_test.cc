// What a control plane that stops tells those who wait.

#include <csignal>
#include <future>
#include <sstream>

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"
#include "tests/support/load.h"

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

TEST_CASE("a node that was told to stop takes changes and counts requests for as long as clients come") {
  Platform platform(2);
  platform.Serve("shop", kEcho);
  KeepAlive client(platform.http_port(0));
  CHECK(client.Get(Platform::Host("shop")) == 200);
  platform.node(0).Signal(SIGTERM);
  REQUIRE(Eventually([&] { return !platform.NodeReady(0); }));
  platform.Apply("shop", "_format_version: \"3.0\"\n");  // nothing any more, live everywhere when this returns
  WireClient late = platform.Connect(0);
  late.Send("GET /anything HTTP/1.1\r\nHost: shop.gw.localhost\r\nConnection: close\r\n\r\n");
  CHECK(late.Take(12) == "HTTP/1.1 404");
  CHECK(platform.node(0).Wait() == 0);
  const std::string usage = platform.Ok({"usage", "-g", "shop", "--since", "2h", "--by", "hour"});
  std::istringstream total(usage.substr(usage.rfind("total") + 5));
  int requests = 0;
  total >> requests;
  CHECK(requests == 2);
}

}  // namespace
}  // namespace sluice::test
