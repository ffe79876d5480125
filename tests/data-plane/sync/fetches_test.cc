#include "data-plane/sync/fetches.h"

#include "catch2/catch.hpp"
#include "tests/support/hand_clock.h"

namespace sluice::sync {
namespace {

using Ids = std::vector<std::string>;

struct Node {
  Ids Take() { return fetches.Take(MonotonicTime{}); }
  test::HandClock clock{std::chrono::hours(7)};
  Status status;
  Fetches fetches{clock, status};
};

TEST_CASE("a gateway is asked for once, whoever wants it, until it is answered") {
  Node node;
  node.fetches.Open();
  CHECK(node.fetches.Load("a"));
  CHECK(node.fetches.Load("a"));
  CHECK(node.fetches.Load("b"));
  CHECK(node.Take() == Ids{"a", "b"});
  CHECK(node.fetches.Load("a"));
  CHECK(node.Take() == Ids{});
  node.fetches.Answered("a", false);
  CHECK(node.fetches.Load("a"));
  CHECK(node.Take() == Ids{"a"});
  CHECK(node.status.fetches == 3);
}

TEST_CASE("an answer that was lost is asked for again") {
  Node node;
  node.fetches.Open();
  node.fetches.Load("a");
  node.Take();
  node.clock.now += Fetches::kAgain;
  CHECK(node.fetches.Load("a"));
  CHECK(node.Take() == Ids{"a"});
}

TEST_CASE("nothing can be had without a stream, and what was asked for on one goes with it") {
  Node node;
  CHECK_FALSE(node.fetches.Load("a"));
  node.fetches.Open();
  node.fetches.Load("a");
  node.fetches.Close();
  CHECK_FALSE(node.fetches.Load("a"));
  CHECK(node.Take() == Ids{});
}

TEST_CASE("what cannot be served is not asked for again until it changes") {
  Node node;
  node.fetches.Open();
  node.fetches.Load("a");
  node.fetches.Answered("a", true);
  CHECK_FALSE(node.fetches.Load("a"));
  node.fetches.Changed("a");
  CHECK(node.fetches.Load("a"));
}

TEST_CASE("without room nothing is asked for, and no more than so many at once") {
  Node node;
  node.fetches.Open();
  node.fetches.SetRoom(false);
  CHECK_FALSE(node.fetches.Load("a"));
  node.fetches.SetRoom(true);
  for (size_t i = 0; i < Fetches::kMaxUnderWay; ++i) node.fetches.Load(std::to_string(i));
  CHECK(node.fetches.Load("0"));
  CHECK_FALSE(node.fetches.Load("one more"));
}

}  // namespace
}  // namespace sluice::sync
