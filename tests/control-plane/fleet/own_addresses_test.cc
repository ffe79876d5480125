#include "control-plane/fleet/own_addresses.h"

#include <algorithm>

#include "catch2/catch.hpp"

namespace sluice::fleet {
namespace {

using Ranges = std::vector<std::string>;

TEST_CASE("an address stands for itself") {
  CHECK(OwnRanges("127.0.0.1:7001") == Ranges{"127.0.0.1:7001"});
  CHECK(OwnRanges("[::1]:7001") == Ranges{"[::1]:7001"});
}

TEST_CASE("a wildcard stands for every address of the machine, loopback among them") {
  for (const std::string wildcard : {"0.0.0.0:7001", "[::]:7001", ":7001"}) {
    const Ranges ranges = OwnRanges(wildcard);
    CHECK(std::count(ranges.begin(), ranges.end(), "127.0.0.1:7001") == 1);
  }
}

TEST_CASE("a name stands for what it resolves to") {
  const Ranges ranges = OwnRanges("localhost:7001");
  CHECK(std::count(ranges.begin(), ranges.end(), "127.0.0.1:7001") == 1);
}

TEST_CASE("what is no address stands for nothing") { CHECK(OwnRanges("7001").empty()); }

}  // namespace
}  // namespace sluice::fleet
