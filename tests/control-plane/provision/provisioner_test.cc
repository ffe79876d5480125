#include "control-plane/provision/provisioner.h"

#include <set>

#include "catch2/catch.hpp"
#include "common/base/text.h"
#include "common/observe/log.h"
#include "control-plane/fleet/join_token.h"
#include "tests/support/fake_store.h"
#include "tests/support/process.h"

namespace sluice::provision {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class TestClock final : public Clock {
 public:
  MonotonicTime Now() const override { return now; }
  WallTime WallNow() const override { return WallTime(now.time_since_epoch() + std::chrono::hours(500'000)); }
  MonotonicTime now{seconds(1000)};
};

// Nodes that are ready as soon as they are started, unless the test says otherwise.
class FakeDriver final : public Driver {
 public:
  absl::StatusOr<std::vector<Instance>> List() override {
    if (!failure.ok()) return failure;
    std::vector<Instance> instances;
    for (const auto& [name, instance] : nodes) instances.push_back(instance);
    return instances;
  }
  absl::Status Start(const Launch& launch) override {
    did += Cat("start ", launch.name, ",");
    if (!failure.ok()) return failure;
    if (!nodes.contains(launch.name)) token = *launch.token();
    nodes[launch.name] = {launch.name, launch.slot, State::kRunning, !sickly};
    return absl::OkStatus();
  }
  absl::Status Stop(const std::string& name) override {
    did += Cat("stop ", name, ",");
    nodes[name].state = State::kStopping;
    return absl::OkStatus();
  }
  absl::Status Forget(const std::string& name) override {
    did += Cat("forget ", name, ",");
    nodes.erase(name);
    return absl::OkStatus();
  }
  void End(const std::string& name) {
    nodes[name].state = State::kExited;
    nodes[name].ready = nodes[name].outdated = false;
  }

  std::map<std::string, Instance> nodes;
  std::string did, token;
  absl::Status failure;
  bool sickly = false;
};

struct World {
  explicit World(Bounds bounds, double per_node = 0)
      : provisioner({driver, store, trust, clock, "n", [this](const std::string&) { return leads; },
                     [this](const std::string& name) { return connected.contains(name); },
                     [this](const std::string& cell) { return store.RequestsPerSecond(cell); }},
                    {{store::kDefaultCell, 1, bounds, per_node}}) {
    log::SetMinimum(log::Level::kError);  // thousands of turns say much
    REQUIRE(trust.Open(folder / "pki").ok());
  }
  // What the driver was told to do in so many turns, one a second.
  std::string Turns(int count) {
    driver.did.clear();
    for (int i = 0; i < count; ++i) {
      provisioner.Tick();
      clock.now += seconds(1);
    }
    return driver.did;
  }

  test::TempDir folder;
  TestClock clock;
  test::FakeStore store;
  fleet::Trust trust{store.identities(), clock};
  FakeDriver driver;
  std::set<std::string> connected;
  bool leads = true;
  Provisioner provisioner;
};

TEST_CASE("missing nodes are started, one a turn, each with a token of its cell") {
  World world({3, 3});
  CHECK(world.Turns(1) == "start n-1,");
  CHECK(world.Turns(5) == "start n-2,start n-3,");
  const auto tokens = *world.store.identities().JoinTokens();
  REQUIRE(tokens.size() == 3);
  CHECK(tokens[0].author == "provisioner");
  CHECK(tokens[0].scope.text() == "cell/default");
  CHECK(fleet::HashJoinToken(world.driver.token));
  CHECK(world.provisioner.totals().pending == 0);
}

TEST_CASE("nothing is done while another replica leads") {
  World world({2, 2});
  world.leads = false;
  CHECK(world.Turns(3).empty());
  world.leads = true;
  CHECK(world.Turns(3) == "start n-1,start n-2,");
}

TEST_CASE("nodes that run already are adopted") {
  World world({2, 2});
  for (int slot : {1, 2}) world.driver.nodes[NameOf("n", slot)] = {NameOf("n", slot), slot, State::kRunning, true};
  CHECK(world.Turns(3).empty());
  CHECK(world.provisioner.totals().ready == 2);
}

TEST_CASE("a node that has run for long is started again as soon as it has ended") {
  World world({1, 1});
  world.Turns(70);
  world.driver.End("n-1");
  CHECK(world.Turns(1) == "start n-1,");
  CHECK(world.provisioner.totals().restarts == 1);
  CHECK(world.store.identities().JoinTokens()->size() == 1);  // it had its identity
}

TEST_CASE("a node that ends again and again is started less and less often, and at least once a minute") {
  World world({1, 1});
  const auto starts = [&](int turns) {
    const uint64_t before = world.provisioner.totals().starts;
    for (int i = 0; i < turns; ++i) {
      world.Turns(1);
      world.driver.End("n-1");
    }
    return world.provisioner.totals().starts - before;
  };
  starts(600);
  const uint64_t later = starts(6000);
  CHECK(later >= 98);
  CHECK(later <= 600);
}

TEST_CASE("a driver that fails is asked again, and not all the time") {
  World world({1, 1});
  world.Turns(1);
  world.driver.nodes.clear();
  world.driver.failure = absl::UnavailableError("no engine");
  CHECK(world.Turns(5).empty());
  CHECK(world.provisioner.totals().errors == 5);
  world.driver.failure = absl::OkStatus();
  CHECK(world.Turns(60) == "start n-1,");
}

TEST_CASE("fewer nodes: the highest ends first, and the next one when it has") {
  World world({3, 3});
  world.Turns(3);
  World fewer({1, 1});
  fewer.driver.nodes = world.driver.nodes;
  CHECK(fewer.Turns(5) == "stop n-3,");
  fewer.driver.End("n-3");
  CHECK(fewer.Turns(5) == "stop n-2,");
}

TEST_CASE("a node that is not wanted any more is taken off the fleet some time after it has ended") {
  World world({1, 1});
  world.Turns(1);
  world.driver.nodes["n-2"] = {"n-2", 2, State::kExited};
  REQUIRE(world.store.PutNode({"n-2", "", "", {}}).ok());
  CHECK(world.Turns(25).empty());
  CHECK(world.store.ListNodes()->size() == 1);
  CHECK(world.Turns(2) == "forget n-2,");
  CHECK(world.store.ListNodes()->empty());
  CHECK(world.provisioner.totals().removals == 1);
}

TEST_CASE("a node whose row cannot be removed is kept until it can") {
  World world({1, 1});
  world.Turns(1);
  world.driver.nodes["n-2"] = {"n-2", 2, State::kExited};
  world.Turns(25);
  world.store.down = true;
  CHECK(world.Turns(9).empty());
  world.store.down = false;
  CHECK(world.Turns(1) == "forget n-2,");
}

TEST_CASE("more load, more nodes at once; less load, fewer after the window") {
  World world({1, 4}, 100);
  CHECK(world.Turns(16) == "start n-1,");
  world.store.requests_per_second = 290;
  CHECK(world.Turns(20) == "start n-2,start n-3,");
  world.store.requests_per_second = 50;
  CHECK(world.Turns(280).empty());
  CHECK(world.Turns(40) == "stop n-3,");
}

TEST_CASE("while the load is not known the nodes stay as they are") {
  World world({1, 4}, 100);
  world.store.requests_per_second = 290;
  world.Turns(4);
  world.store.down = true;
  CHECK(world.Turns(1000).empty());
  CHECK(world.provisioner.totals().wanted == 3);
}

TEST_CASE("outdated nodes are replaced one after another, each when the others are ready") {
  World world({2, 2});
  world.Turns(2);
  for (auto& [name, node] : world.driver.nodes) node.outdated = true;
  CHECK(world.Turns(10) == "stop n-1,");
  CHECK(world.provisioner.totals().pending == 2);
  world.driver.sickly = true;
  world.driver.End("n-1");
  CHECK(world.Turns(20) == "start n-1,");
  world.driver.nodes["n-1"].ready = true;
  CHECK(world.Turns(1) == "stop n-2,");
  world.driver.End("n-2");
  world.driver.sickly = false;
  CHECK(world.Turns(9) == "start n-2,");
  CHECK(world.provisioner.totals().replacements == 2);
  CHECK(world.provisioner.totals().restarts == 0);
}

TEST_CASE("of outdated nodes one that is not ready goes first") {
  World world({3, 3});
  world.Turns(3);
  for (auto& [name, node] : world.driver.nodes) node.outdated = true;
  world.driver.nodes["n-2"].ready = false;
  CHECK(world.Turns(10) == "stop n-2,");
}

TEST_CASE("a name that somebody else's node has is left to it") {
  World world({1, 1});
  world.connected.insert("n-1");
  CHECK(world.Turns(5).empty());
  CHECK(world.provisioner.totals().errors == 5);
  world.connected.clear();
  CHECK(world.Turns(1) == "start n-1,");
}

TEST_CASE("a node that lost its disk joins again under its name") {
  World world({1, 1});
  const auto old_token = fleet::NewJoinToken(world.trust.oldest()->id());
  REQUIRE(world.store.identities().PutJoinToken({}, *fleet::HashJoinToken(old_token), {}).ok());
  store::IdentityRecord identity{"n-1", store::Scope::OfCell("default"), "key", "a"};
  identity.expires = world.clock.WallNow() + minutes(9);
  REQUIRE(world.store.identities().Redeem(*fleet::HashJoinToken(old_token), identity, {}).ok());
  world.Turns(1);
  identity.key = "another key";
  CHECK(world.store.identities().Redeem(*fleet::HashJoinToken(world.driver.token), identity, {}).ok());
}

TEST_CASE("names of slots are read back, and no others") {
  CHECK(SlotOf("node", NameOf("node", 12)) == 12);
  for (const char* name :
       {"node", "node-", "node-0", "node-x", "node-01", "node--1", "nodes-1", "node-1x", "xnode-1"}) {
    CHECK_FALSE(SlotOf("node", name));
  }
}

}  // namespace
}  // namespace sluice::provision
