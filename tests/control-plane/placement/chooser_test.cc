#include "control-plane/placement/chooser.h"

#include "catch2/catch.hpp"

namespace sluice::placement {
namespace {

Cell Of(const std::string& name, int64_t gateways, size_t nodes = 1, int64_t capacity = 0) {
  return {{.name = name, .capacity = capacity}, {.gateways = gateways}, nodes};
}

TEST_CASE("a gateway goes where a node has fewest, and counts there") {
  Chooser chooser({Of("a", 3, 1), Of("b", 4, 2)});
  CHECK(*chooser.Next() == "b");
  CHECK(*chooser.Next() == "b");
  CHECK(*chooser.Next() == "a");
  CHECK(*chooser.Next() == "b");
}

TEST_CASE("where every cell has a capacity, the emptiest part of one counts") {
  Chooser chooser({Of("a", 50, 9, 100), Of("b", 10, 1, 1000)});
  CHECK(*chooser.Next() == "b");
}

TEST_CASE("a cell without nodes is the last choice, and better than none") {
  Chooser with_other({Of("a", 0, 0), Of("b", 100, 1)});
  CHECK(*with_other.Next() == "b");
  Chooser alone({Of("a", 0, 0)});
  CHECK(*alone.Next() == "a");
}

TEST_CASE("nothing is placed in a cell that is full or drains, and the error says why") {
  Cell draining = Of("b", 7);
  draining.row.draining = true;
  Chooser chooser({Of("a", 1, 1, 2), draining});
  CHECK(*chooser.Next() == "a");
  const auto none = chooser.Next();
  CHECK(absl::IsResourceExhausted(none.status()));
  CHECK(std::string(none.status().message()).find("a is full (2 of 2), b is draining") != std::string::npos);
}

}  // namespace
}  // namespace sluice::placement
