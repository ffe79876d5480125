#include "data-plane/limit/keyed_count.h"

#include <string>
#include <thread>
#include <vector>

#include "catch2/catch.hpp"

using sluice::limit::KeyedCount;

TEST_CASE("each key has so many places and no more") {
  KeyedCount<std::string> counts;
  CHECK(counts.Enter("a", 2));
  CHECK(counts.Enter("a", 2));
  CHECK_FALSE(counts.Enter("a", 2));
  CHECK(counts.Enter("b", 2));
  counts.Leave("a");
  CHECK(counts.Enter("a", 2));
}

TEST_CASE("where there are no places nothing is counted") {
  KeyedCount<std::string> counts;
  CHECK_FALSE(counts.Enter("a", 0));
  counts.Leave("a");
  CHECK(counts.Enter("a", 1));
}

TEST_CASE("threads together take exactly the places there are") {
  constexpr size_t kPlaces = 1000;
  KeyedCount<std::string> counts;
  std::atomic<size_t> taken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (size_t tries = 0; tries < kPlaces; ++tries) taken += counts.Enter("a", kPlaces) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(taken == kPlaces);
}
