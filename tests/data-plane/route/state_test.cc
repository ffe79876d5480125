#include "data-plane/route/state.h"

#include "catch2/catch.hpp"

namespace sluice {
namespace {

MonotonicTime At(int64_t micros) {
  return MonotonicTime(std::chrono::microseconds(micros));
}

TEST_CASE("a state has no window until it has a share") {
  GatewayState state;
  CHECK(state.window() == nullptr);
  state.SetLimit(0);
  CHECK(state.window() == nullptr);
  state.SetLimit(3);
  CHECK(state.window()->limit() == 3);
}

TEST_CASE("a new share counts what the old one admitted") {
  GatewayState state;
  state.SetLimit(2);
  auto held = state.window();
  CHECK(held->Admit(At(0)).admitted);
  state.SetLimit(1);
  CHECK_FALSE(state.window()->Admit(At(10)).admitted);
  CHECK_FALSE(held->Admit(At(20)).admitted);
}

TEST_CASE("a share of none lifts the limit") {
  GatewayState state;
  state.SetLimit(1);
  state.SetLimit(0);
  CHECK(state.window() == nullptr);
}

TEST_CASE("a counter admits its limit in a window and starts again in the next") {
  Counters counters;
  const Counters::Window first{0, 60, 2}, second{60, 120, 2};
  CHECK(counters.CountIfBelow("k", &first, 1)->admitted);
  CHECK(counters.CountIfBelow("k", &first, 1)->used[0] == 2);
  const auto rejected = counters.CountIfBelow("k", &first, 1);
  CHECK_FALSE(rejected->admitted);
  CHECK(rejected->used[0] == 2);
  CHECK(counters.CountIfBelow("k", &second, 1)->used[0] == 1);
  CHECK(counters.CountIfBelow("other", &first, 1)->used[0] == 1);
}

TEST_CASE("a request that one window refuses counts in none") {
  Counters counters;
  const Counters::Window windows[] = {{0, 1, 1}, {0, 60, 5}};
  CHECK(counters.CountIfBelow("k", windows, 2)->admitted);
  const auto refused = counters.CountIfBelow("k", windows, 2);
  CHECK_FALSE(refused->admitted);
  CHECK(refused->used[0] == 1);
  CHECK(refused->used[1] == 1);
}

TEST_CASE("a window keeps its count when another one is added beside it") {
  Counters counters;
  const Counters::Window minute{0, 60, 5}, both[] = {{0, 1, 5}, {0, 60, 5}};
  counters.CountIfBelow("k", &minute, 1);
  const auto outcome = counters.CountIfBelow("k", both, 2);
  CHECK(outcome->used[0] == 1);
  CHECK(outcome->used[1] == 2);
}

TEST_CASE("keys past the maximum are refused until windows have ended") {
  Counters counters;
  const Counters::Window now{0, 60, 1}, later{60, 120, 1};
  size_t refused = 0;
  for (size_t i = 0; i < 2 * Counters::kMaxKeys; ++i) {
    refused += !counters.CountIfBelow("key" + std::to_string(i), &now, 1).has_value();
  }
  CHECK(refused == Counters::kMaxKeys);
  CHECK(counters.CountIfBelow("key0", &now, 1).has_value());
  CHECK_FALSE(counters.CountIfBelow("one more", &now, 1).has_value());
  CHECK(counters.CountIfBelow("one more", &later, 1)->admitted);
}

TEST_CASE("a sequence counts up from one") {
  Counters counters;
  CHECK(counters.Next() == 1);
  CHECK(counters.Next() == 2);
}

}  // namespace
}  // namespace sluice
