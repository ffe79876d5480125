#include "control-plane/placement/mover.h"

#include "catch2/catch.hpp"
#include "tests/support/fake_store.h"
#include "tests/support/hand_clock.h"

namespace sluice::placement {
namespace {

using store::Move;
using std::chrono::seconds;

// Two cells, "default" with node a and "west" with node w, and gateways in the former, which drains.
struct World {
  test::FakeStore store;
  index::Index index{store};
  sync::Registry registry{[this](const auto& id, const auto& scope) { return index.Serves(id, scope); }};
  Directory directory{store, index, registry};
  test::HandClock clock;
  Mover mover{{directory, index, registry, clock, seconds(60)}};

  explicit World(int gateways = 1, uint32_t limit = 100) {
    store.cells["west"].name = "west";
    store.cells[store::kDefaultCell].nodes = {"a"};
    Connect("a", store::kDefaultCell);
    Connect("w", "west");
    for (int i = 1; i <= gateways; ++i) {
      store::Write write;
      write.config.set_id(std::to_string(i));
      write.config.set_name("g" + std::to_string(i));
      write.config.set_kind(config::v1::SERVERLESS);
      write.config.mutable_plan()->set_requests_per_second(limit);
      REQUIRE(store.Commit(write).ok());
    }
    Drain();
  }
  void Drain() {
    store.cells[store::kDefaultCell].draining = true;
    REQUIRE(directory.Refresh().ok());
    REQUIRE(index.Refresh().ok());
  }
  void Connect(const std::string& name, const std::string& cell) {
    sync::NodeStatus node;
    node.name = name;
    node.scope = store::Scope::OfCell(cell);
    registry.Connected(node);
  }
  void Apply(const std::string& node) { registry.Applied(node, index.head(), {}); }
  // Time passes, and both nodes take what there is.
  void Pass(Duration time) {
    clock.now += time;
    for (const char* node : {"a", "w"}) Apply(node);
    mover.Step();
  }
  store::Placement Place(const std::string& id = "1") { return store.GetGateway(id)->placement; }
  Move Step() {
    mover.Step();
    return Place().move;
  }
};

TEST_CASE("a gateway leaves a draining cell step by step") {
  World world;
  CHECK(world.Step() == Move::kNarrow);
  CHECK(world.Step() == Move::kNarrow);  // node a has not taken it
  world.Apply("a");
  CHECK(world.Step() == Move::kNarrow);
  world.clock.now += kSettleTime - seconds(1);
  CHECK(world.Step() == Move::kNarrow);
  world.clock.now += seconds(1);
  CHECK(world.Step() == Move::kJoin);
  world.Apply("a");
  CHECK(world.Step() == Move::kJoin);  // node w has not taken it
  world.Apply("w");
  CHECK(world.Step() == Move::kOverlap);
  CHECK(world.Place() == store::Placement{"west", "default", Move::kOverlap});
  CHECK(world.Step() == Move::kOverlap);
  world.clock.now += seconds(60);
  CHECK(world.Step() == Move::kLeave);
  world.Apply("w");
  world.clock.now += seconds(60);
  CHECK(world.Step() == Move::kLeave);  // node a has not let go
  world.Apply("a");
  CHECK(world.Step() == Move::kLeave);
  world.clock.now += kSettleTime;
  CHECK(world.Step() == Move::kNone);
  CHECK(world.Place() == store::Placement{"west", "default", Move::kNone});
  CHECK(world.Step() == Move::kNone);
}

TEST_CASE("a node of the old cell that is out of reach is waited for, until it shares no limit any more") {
  World world;
  world.store.cells["default"].nodes = {"a", "lost"};
  world.Drain();
  CHECK(world.Step() == Move::kNarrow);
  for (int i = 0; i < 10; ++i) world.Pass(kSettleTime);
  CHECK(world.Place().move == Move::kNarrow);
  world.store.cells["default"].nodes = {"a"};
  world.Drain();
  world.Pass({});
  world.Pass(kSettleTime);
  CHECK(world.Place().move == Move::kJoin);
}

TEST_CASE("a gateway does not go on to a cell whose node refuses it, or that has none") {
  World world;
  world.Step();
  world.Pass({});
  world.Pass(kSettleTime);
  REQUIRE(world.Place().move == Move::kJoin);
  world.registry.Rejected("w", {"1", world.index.head(), "COMPILE", "no"}, {});
  for (int i = 0; i < 3; ++i) world.Pass(seconds(1));
  CHECK(world.Place().move == Move::kJoin);
  world.registry.Disconnected("w");
  for (int i = 0; i < 3; ++i) world.Pass(seconds(1));
  CHECK(world.Place().move == Move::kJoin);
  world.Connect("w", "west");
  world.Pass({});
  CHECK(world.Place().move == Move::kOverlap);
}

TEST_CASE("a replica that is behind is waited for") {
  World world;
  world.Step();
  world.registry.SetOthers({{"other:7002", world.index.head() - 1, {}}}, 0);
  world.Pass({});
  world.Pass(kSettleTime);
  CHECK(world.Place().move == Move::kNarrow);
  world.registry.SetOthers({{"other:7002", world.index.head(), {}}}, 0);
  world.Pass({});
  world.Pass(kSettleTime);
  CHECK(world.Place().move == Move::kJoin);
}

TEST_CASE("a limit of one request a second is in one cell at a time") {
  World world(1, 1);
  world.Step();
  world.Pass({});
  world.Pass(kSettleTime);
  CHECK(world.Place() == store::Placement{"west", "default", Move::kLeave});
  world.Pass({});
  world.Pass(kSettleTime);
  CHECK(world.Place() == store::Placement{"west", "default", Move::kNone});
}

TEST_CASE("gateways that find no room stay where they are, and a new one is not touched by a drain that ended") {
  World world(3);
  world.store.cells["west"].capacity = 2;
  world.Drain();
  world.Step();
  const auto moving = [&] { return world.index.Moving().size(); };
  CHECK(moving() == 2);
  world.Step();
  CHECK(moving() == 2);
  world.store.cells["west"].capacity = 0;
  world.store.cells["default"].draining = false;
  REQUIRE(world.directory.Refresh().ok());
  world.Step();
  CHECK(moving() == 2);
}

TEST_CASE("a gateway that is deleted on its way is gone") {
  World world;
  world.Step();
  REQUIRE(world.store.DeleteGateway({"1"}).ok());
  REQUIRE(world.index.Refresh().ok());
  world.Pass(kSettleTime);
  CHECK(world.index.Moving().empty());
}

}  // namespace
}  // namespace sluice::placement
