// The network between nodes and control plane: cut, slow, reset.

#include "common/base/random.h"
#include "tests/faults/fixture.h"

namespace sluice::test {
namespace {

const PlatformOptions kLinked{.nodes = Busy::kNodes, .links = true};

TEST_CASE("a node that is cut off serves on, is named by who waits for it, and catches up when the link heals") {
  Busy busy(kLinked);
  busy.platform.link(1).Partition();
  const Finished waited = busy.platform.Sluice({"apply", "-g", "shop", "-f", "-", "--wait", "--timeout", "2"},
                                               busy.platform.WithUpstream("_format_version: \"3.0\"\n"));
  CHECK(waited.exit_code != 0);
  CHECK(waited.err.find("node-2") != std::string::npos);
  busy.load->SetRates({0, Busy::kRate, 0});  // the others serve nothing any more, as they were told
  busy.AwaitRequests(60);
  busy.Change(1);  // returns when all connected nodes have it; the lost one is found out by keepalive
  busy.load->SetRate(Busy::kRate);
  busy.AwaitRequests(60);
  busy.platform.link(1).Heal();
  REQUIRE(Eventually([&] { return busy.AllConnected(); }));
  busy.Change(2);
  busy.load->Stop();
  // What the others said while they served nothing, and nothing else.
  for (const Exchange& exchange : busy.load->All()) {
    CHECK((exchange.status == 200 || exchange.status == 404 || exchange.status == 429));
  }
}

TEST_CASE("a node on a link of 10 kbit/s has every change in the end, and nobody waits for it") {
  constexpr int kChanges = 10;
  Busy busy(kLinked);
  std::string document = kEcho;
  for (int i = 0; i < 12; ++i) {
    document += "  - {name: route-" + std::to_string(i) + ", paths: [\"/" + RandomAlphanumeric(100) + "\"]}\n";
  }
  busy.platform.Apply("shop", busy.platform.WithUpstream(document));
  busy.platform.link(2).SetBytesPerSecond(1250);
  for (int i = 0; i < kChanges; ++i) {
    busy.platform.Ok({"apply", "-g", "shop", "-f", "-"},
                     busy.platform.WithUpstream(document) + "  tags: [n" + std::to_string(i) + "]\n");
  }
  REQUIRE(Eventually([&] { return busy.Applied("node-1") && busy.Applied("node-2"); }));
  CHECK_FALSE(busy.Applied("node-3"));
  REQUIRE(Eventually([&] { return busy.Applied("node-3"); }));
  busy.CheckTraffic();
}

TEST_CASE("connections that are reset again and again cost no request and no change") {
  Busy busy(kLinked);
  for (int i = 0; i < 10; ++i) {
    for (int node = 0; node < Busy::kNodes; ++node) busy.platform.link(node).Reset();
    busy.AwaitRequests(20);
  }
  REQUIRE(Eventually([&] { return busy.AllConnected(); }));
  busy.Change(1);
  busy.CheckTraffic();
}

}  // namespace
}  // namespace sluice::test
