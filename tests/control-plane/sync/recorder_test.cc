#include "control-plane/sync/recorder.h"

#include "catch2/catch.hpp"
#include "tests/support/eventually.h"
#include "tests/support/fake_store.h"

using sluice::WallTime;
using sluice::sync::Recorder;
using sluice::test::Eventually;
using sluice::test::FakeStore;

namespace {

bool Lists(FakeStore& store) { return !store.ListNodes()->empty(); }

}  // namespace

TEST_CASE("a node that left is not written back where it has been removed meanwhile") {
  FakeStore store;
  {
    Recorder recorder(store);
    recorder.Seen({"n1", "0.1.0", "10.0.0.1:8100", WallTime(), true});
    REQUIRE(Eventually([&] { return Lists(store); }));
    recorder.Seen({"n1", "0.1.0", "10.0.0.1:8100", WallTime() + std::chrono::seconds(1), false});
    REQUIRE(store.RemoveNode("n1", {}).ok());
  }
  CHECK_FALSE(Lists(store));
}

TEST_CASE("a node that arrived and was seen again before it was written is written") {
  FakeStore store;
  {
    Recorder recorder(store);
    recorder.Seen({"n1", "0.1.0", "10.0.0.1:8100", WallTime(), true});
    recorder.Seen({"n1", "0.1.0", "10.0.0.1:8100", WallTime() + std::chrono::seconds(1), false});
  }
  CHECK(store.ListNodes()->front().last_seen == WallTime() + std::chrono::seconds(1));
}
