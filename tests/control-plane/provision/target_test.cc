#include "control-plane/provision/target.h"

#include "catch2/catch.hpp"

namespace sluice::provision {
namespace {

using std::chrono::seconds;

MonotonicTime At(int second) { return MonotonicTime(seconds(second)); }

TEST_CASE("as many nodes are recommended as the load needs") {
  CHECK(Recommend(2, 350, 100) == 4);
  CHECK(Recommend(5, 101, 100) == 2);
  CHECK(Recommend(3, 0, 100) == 1);
  CHECK(Recommend(0, 250, 100) == 3);
}

TEST_CASE("a load within a tenth of what the nodes are meant for changes nothing") {
  CHECK(Recommend(2, 220, 100) == 2);
  CHECK(Recommend(2, 221, 100) == 3);
  CHECK(Recommend(10, 900, 100) == 10);
  CHECK(Recommend(10, 899, 100) == 9);
}

TEST_CASE("a load beyond all measure recommends no more nodes than there can be") {
  CHECK(Recommend(1, 1e300, 1) == 100);
}

TEST_CASE("the target goes up at once, and never past its bounds") {
  Target target({2, 5}, 100);
  target.Begin(0, At(0));
  CHECK(target.count() == 2);
  target.See(400, At(1));
  CHECK(target.count() == 4);
  target.See(40'000, At(2));
  CHECK(target.count() == 5);
}

TEST_CASE("the target goes down to the highest recommendation of the last 300 s") {
  Target target({1, 9}, 100);
  target.Begin(1, At(0));
  target.See(800, At(1));
  target.See(500, At(100));
  target.See(150, At(301));
  CHECK(target.count() == 8);
  target.See(150, At(302));
  CHECK(target.count() == 5);
  target.See(150, At(400));
  CHECK(target.count() == 5);
  target.See(150, At(401));
  CHECK(target.count() == 2);
}

TEST_CASE("what is found running is kept for a window, though nothing asks for it") {
  Target target({1, 9}, 100);
  target.Begin(4, At(10));
  target.See(0, At(310));
  CHECK(target.count() == 4);
  target.See(0, At(311));
  CHECK(target.count() == 1);
}

}  // namespace
}  // namespace sluice::provision
