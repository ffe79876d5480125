#include "data-plane/limit/slot.h"

#include "catch2/catch.hpp"
#include "data-plane/limit/payload.h"

using sluice::GatewayState;
using sluice::limit::RateFloor;
using sluice::limit::Slot;
using namespace std::chrono_literals;

TEST_CASE("a slot counts while it lives") {
  auto state = std::make_shared<GatewayState>();
  {
    Slot slot;
    CHECK(slot.Take(state, &GatewayState::requests_in_flight, 1, 1));
    CHECK(state->requests_in_flight == 1);
  }
  CHECK(state->requests_in_flight == 0);
}

TEST_CASE("the slot at the limit is given and the one past it is not") {
  auto state = std::make_shared<GatewayState>();
  Slot first, second, third;
  CHECK(first.Take(state, &GatewayState::upstream_connections, 1, 2));
  CHECK(second.Take(state, &GatewayState::upstream_connections, 1, 2));
  CHECK_FALSE(third.Take(state, &GatewayState::upstream_connections, 1, 2));
  second.Release();
  CHECK(third.Take(state, &GatewayState::upstream_connections, 1, 2));
}

TEST_CASE("a slot that is moved counts once") {
  auto state = std::make_shared<GatewayState>();
  Slot first;
  REQUIRE(first.Take(state, &GatewayState::buffered_bytes, 5, 10));
  Slot second(std::move(first));
  CHECK(state->buffered_bytes == 5);
  CHECK(second.Resize(10, 10));
  CHECK_FALSE(second.Resize(11, 10));
  CHECK(state->buffered_bytes == 10);
  second.Release();
  CHECK(state->buffered_bytes == 0);
}

TEST_CASE("a declared length at the limit is allowed and one past it is not") {
  using Kind = sluice::http::Framing::Kind;
  CHECK_FALSE(sluice::limit::DeclaredTooLarge({.kind = Kind::kLength, .length = 5}, 5));
  CHECK(sluice::limit::DeclaredTooLarge({.kind = Kind::kLength, .length = 6}, 5));
  CHECK_FALSE(sluice::limit::DeclaredTooLarge({.kind = Kind::kLength, .length = 6}, 0));
  CHECK_FALSE(sluice::limit::DeclaredTooLarge({.kind = Kind::kChunked}, 5));
}

TEST_CASE("a body at the minimum rate goes on and one below it is too slow") {
  RateFloor at_rate(10s);
  at_rate.Count(10 * 1024, 10s);
  CHECK_FALSE(at_rate.TooSlow());
  RateFloor below(10s);
  below.Count(10 * 1024 - 1, 10s);
  CHECK(below.TooSlow());
}

TEST_CASE("time in which nobody waited is not held against a body") {
  RateFloor floor(10s);
  floor.Count(1, 4s);
  CHECK(floor.Deadline(sluice::MonotonicTime(1h)) == sluice::MonotonicTime(1h + 6s));
}
