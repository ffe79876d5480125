// The control plane dies or stalls; nodes serve on, and are what they should be when it is back.

#include <csignal>

#include "tests/faults/fixture.h"

namespace sluice::test {
namespace {

TEST_CASE("traffic does not notice that the control plane is killed, is gone, and comes back") {
  Busy busy;
  busy.platform.control_plane().Kill();
  busy.AwaitRequests(300);
  CHECK(busy.platform.Sluice({"gateway", "list"}).exit_code != 0);
  busy.platform.StartControlPlane();
  REQUIRE(Eventually([&] { return busy.AllConnected(); }));
  busy.Change(1);
  busy.CheckTraffic();
}

TEST_CASE("a control plane that is stopped for a while and goes on is a control plane that was away") {
  Busy busy;
  busy.platform.control_plane().Signal(SIGSTOP);
  busy.AwaitRequests(600);  // ten seconds: keepalive gives it up
  busy.platform.control_plane().Signal(SIGCONT);
  REQUIRE(Eventually([&] { return busy.AllConnected(); }));
  busy.Change(1);
  busy.CheckTraffic();
}

TEST_CASE("a node that starts while the control plane is away serves what it served; a new one is not ready") {
  Busy busy;
  busy.platform.StopControlPlane();
  busy.load->SetRates({Busy::kRate, Busy::kRate, 0});
  busy.platform.node(2).Kill();
  busy.platform.StartNode(2);
  busy.load->SetRate(Busy::kRate);
  busy.AwaitRequests(60);
  busy.load->SetRates({Busy::kRate, Busy::kRate, 0});
  busy.platform.node(2).Kill();
  // What it serves goes; who it is stays.
  Run({"find", busy.platform.state() + "/node-3/state", "-mindepth", "1", "-maxdepth", "1", "!", "-name", "identity",
       "-exec", "rm", "-rf", "{}", "+"});
  busy.platform.StartNode(2, false);
  const std::string healthz = "http://127.0.0.1:" + std::to_string(busy.platform.ops_port(2)) + "/healthz";
  REQUIRE(Eventually([&] { return Run({"curl", "-fsS", healthz}).exit_code == 0; }));
  CHECK_FALSE(busy.platform.NodeReady(2));
  CHECK(busy.platform.Connect(2).Get(Platform::Host("shop"), "/anything").status == 503);
  busy.platform.StartControlPlane();
  REQUIRE(Eventually([&] { return busy.platform.NodeReady(2); }));
  CHECK(busy.platform.Connect(2).Get(Platform::Host("shop"), "/anything").status == 200);
  busy.CheckTraffic();
}

}  // namespace
}  // namespace sluice::test
