#include "data-plane/sync/working_set.h"

#include <map>

#include "catch2/catch.hpp"

namespace sluice::sync {
namespace {

using std::chrono::seconds;
using Ids = std::vector<std::string>;

struct Gateways {
  explicit Gateways(size_t most) : set(most) {}
  Ids Look() {
    return set.Look(now, [this](const std::string& id) { return asked[id]; });
  }
  WorkingSet set;
  std::map<std::string, uint64_t> asked;
  MonotonicTime now{std::chrono::hours(1)};
};

TEST_CASE("nothing is let go of while there is room") {
  Gateways gateways(2);
  gateways.set.Add("a", gateways.now);
  gateways.set.Add("b", gateways.now);
  gateways.now += seconds(60);
  CHECK(gateways.Look() == Ids{});
}

TEST_CASE("past the room the longest unused is let go of") {
  Gateways gateways(2);
  for (const char* id : {"a", "b", "c"}) gateways.set.Add(id, gateways.now);
  for (const char* id : {"a", "c", "b"}) {
    gateways.now += seconds(1);
    ++gateways.asked[id];
    gateways.Look();
  }
  gateways.now += WorkingSet::kMinUnused;
  CHECK(gateways.Look() == Ids{"a"});
}

TEST_CASE("what was asked for a moment ago stays, and what is busy stays for as long as it is") {
  Gateways gateways(0);
  gateways.set.Add("a", gateways.now);
  gateways.set.Add("b", gateways.now);
  gateways.asked["b"] = WorkingSet::kBusy;
  gateways.now += WorkingSet::kMinUnused - std::chrono::nanoseconds(1);
  CHECK(gateways.Look() == Ids{});
  gateways.now += std::chrono::nanoseconds(1);
  CHECK(gateways.Look() == Ids{"a"});
  gateways.asked["b"] = 7;
  CHECK(gateways.Look() == Ids{"a"});
  gateways.now += WorkingSet::kMinUnused;
  CHECK(gateways.Look().size() == 2);
  gateways.set.Remove("a");
  CHECK(gateways.Look() == Ids{"b"});
}

TEST_CASE("at most so many are let go of at once") {
  Gateways gateways(0);
  for (size_t i = 0; i <= WorkingSet::kMaxEvicted; ++i) gateways.set.Add(std::to_string(i), gateways.now);
  gateways.now += WorkingSet::kMinUnused;
  CHECK(gateways.Look().size() == WorkingSet::kMaxEvicted);
}

}  // namespace
}  // namespace sluice::sync
