#include "common/quota/demand.h"

#include "catch2/catch.hpp"

namespace sluice::quota {
namespace {

using std::chrono::milliseconds;

const MonotonicTime kStart{std::chrono::hours(5)};

// Evenly, `every` apart; the time afterwards.
MonotonicTime Run(Demand& demand, MonotonicTime from, Duration time, Duration every) {
  for (Duration passed{}; passed < time; passed += every) demand.Count(1, from + passed);
  return from + time;
}

TEST_CASE("nothing asked for is no demand") {
  Demand demand;
  CHECK(demand.Estimate(kStart) == 0);
}

TEST_CASE("a steady rate is what the last second counted") {
  Demand demand;
  const MonotonicTime now = Run(demand, kStart, std::chrono::seconds(3), milliseconds(20));
  CHECK(demand.Estimate(now) >= 45);
  CHECK(demand.Estimate(now) <= 55);
}

TEST_CASE("a few requests more than usual are no new rate") {
  Demand demand;
  MonotonicTime now = Run(demand, kStart, std::chrono::seconds(3), milliseconds(100));
  demand.Count(2, now);
  CHECK(demand.Estimate(now) <= 13);
}

TEST_CASE("a burst after silence is seen at once") {
  Demand demand;
  demand.Count(50, kStart + milliseconds(10));
  CHECK(demand.Estimate(kStart + milliseconds(20)) >= 250);
}

TEST_CASE("the end of a load is seen long before the second is over") {
  Demand demand;
  const MonotonicTime now = Run(demand, kStart, std::chrono::seconds(3), milliseconds(5));
  CHECK(demand.Estimate(now + milliseconds(250)) == 0);
}

TEST_CASE("what is more than a second ago does not count, however long nobody looked") {
  Demand demand;
  demand.Count(9, kStart);
  CHECK(demand.Estimate(kStart + std::chrono::hours(2)) == 0);
}

}  // namespace
}  // namespace sluice::quota
