#include "common/quota/sliding_window.h"

#include <algorithm>
#include <deque>
#include <random>
#include <thread>

#include "catch2/catch.hpp"

namespace sluice::quota {
namespace {

MonotonicTime At(int64_t micros) {
  return MonotonicTime(std::chrono::microseconds(micros));
}

int AdmittedOf(SlidingWindow& window, int tries, int64_t micros) {
  int admitted = 0;
  for (int i = 0; i < tries; ++i) admitted += window.Admit(At(micros)).admitted;
  return admitted;
}

// The largest number of stamps in any half-open second. Sorts.
size_t MostInOneSecond(std::vector<int64_t>& stamps) {
  std::sort(stamps.begin(), stamps.end());
  size_t most = 0;
  for (size_t first = 0, last = 0; last < stamps.size(); ++last) {
    while (stamps[last] - stamps[first] >= kWindowMicros) ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

TEST_CASE("the limit is admitted at once and one more is not") {
  SlidingWindow window(3);
  CHECK(AdmittedOf(window, 3, 0) == 3);
  CHECK_FALSE(window.Admit(At(0)).admitted);
}

TEST_CASE("an admission leaves the window after exactly one second") {
  SlidingWindow window(1);
  CHECK(window.Admit(At(5)).admitted);
  CHECK_FALSE(window.Admit(At(1'000'004)).admitted);
  CHECK(window.Admit(At(1'000'005)).admitted);
}

TEST_CASE("a rejection tells when the oldest admission leaves") {
  SlidingWindow window(2);
  window.Admit(At(100));
  window.Admit(At(700'000));
  const Admission rejected = window.Admit(At(900'000));
  CHECK_FALSE(rejected.admitted);
  CHECK(rejected.limit == 2);
  CHECK(rejected.retry_in_micros == 100'100);
}

TEST_CASE("a clock that is behind other threads' admits nothing early") {
  SlidingWindow window(2);
  CHECK(window.Admit(At(500)).admitted);
  CHECK(window.Admit(At(100)).admitted);  // stamped 500, as the one before
  CHECK_FALSE(window.Admit(At(1'000'100)).admitted);
  CHECK(AdmittedOf(window, 3, 1'000'500) == 2);
}

TEST_CASE("a window admits what a list of all admissions would, at random times") {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const uint32_t limit = 1 + random() % 12;
    SlidingWindow window(limit);
    std::deque<int64_t> admitted;
    int64_t now = static_cast<int64_t>(random() % 3'000'000);
    for (int i = 0; i < 2000; ++i, now += random() % (3 * kWindowMicros / limit)) {
      while (!admitted.empty() && now - admitted.front() >= kWindowMicros) admitted.pop_front();
      const bool expected = admitted.size() < limit;
      const int64_t retry = expected ? 0 : admitted.front() + kWindowMicros - now;
      if (expected) admitted.push_back(now);
      const Admission admission = window.Admit(At(now));
      REQUIRE(admission.admitted == expected);
      REQUIRE(admission.retry_in_micros == retry);
    }
  }
}

TEST_CASE("generations wrap without admitting more or less") {
  SlidingWindow window(1);
  for (int64_t second = 0; second < 140'000; ++second) {
    REQUIRE(window.Admit(At(second * kWindowMicros)).admitted);
    REQUIRE_FALSE(window.Admit(At(second * kWindowMicros + kWindowMicros - 1)).admitted);
  }
}

TEST_CASE("a window that grows counts what it has admitted") {
  SlidingWindow window(3);
  CHECK(AdmittedOf(window, 5, 10) == 3);
  auto grown = window.Resized(5);
  CHECK(grown->limit() == 5);
  CHECK(AdmittedOf(*grown, 5, 20) == 2);
  CHECK(AdmittedOf(*grown, 5, 1'000'010) == 3);
  CHECK(AdmittedOf(*grown, 5, 1'000'020) == 2);
}

TEST_CASE("a window that shrinks admits again when less than the new limit is left") {
  SlidingWindow window(4);
  for (int64_t at : {0, 100, 200, 300}) window.Admit(At(at));
  auto shrunk = window.Resized(2);
  CHECK(AdmittedOf(*shrunk, 2, 1'000'199) == 0);
  CHECK(AdmittedOf(*shrunk, 2, 1'000'200) == 1);
  CHECK(AdmittedOf(*shrunk, 2, 1'000'300) == 1);
}

TEST_CASE("a window that shrinks and grows within a second remembers all it has admitted") {
  SlidingWindow window(4);
  CHECK(AdmittedOf(window, 4, 0) == 4);
  auto shrunk = window.Resized(1);
  auto grown = shrunk->Resized(6);
  CHECK(AdmittedOf(*grown, 6, 10) == 2);
}

TEST_CASE("an unused window resizes to an unused one") {
  SlidingWindow window(4);
  auto other = window.Resized(2);
  CHECK(AdmittedOf(*other, 5, 0) == 2);
}

TEST_CASE("whoever holds a window that was resized is answered by the new one") {
  SlidingWindow window(2);
  window.Admit(At(0));
  auto grown = window.Resized(3);
  CHECK(window.Admit(At(1)).limit == 3);
  CHECK(AdmittedOf(*grown, 5, 2) == 1);
  auto last = grown->Resized(1);
  CHECK_FALSE(window.Admit(At(3)).admitted);
  CHECK(window.Admit(At(1'000'002)).limit == 1);
}

TEST_CASE("a window of no slots admits nothing, and hands on whoever holds it") {
  SlidingWindow window(0);
  CHECK_FALSE(window.Admit(At(5)).admitted);
  CHECK(window.Admit(At(5)).retry_in_micros <= kWindowMicros);
  auto grown = window.Resized(2);
  CHECK(AdmittedOf(window, 3, 10) == 2);
  auto none = grown->Resized(0);
  CHECK_FALSE(window.Admit(At(20)).admitted);
  CHECK(none->limit() == 0);
}

TEST_CASE("slots leave a window with the time of their next use, the longest unused first") {
  SlidingWindow window(3);
  window.Admit(At(1'000));
  window.Admit(At(2'000));
  Slots released;
  auto kept = window.Moved(1, {}, &released);
  REQUIRE(released.count() == 2);
  CHECK(released.groups().front().ready <= At(1));
  CHECK(released.groups().back().ready == At(1'001'001));
  CHECK_FALSE(kept->Admit(At(1'001'999)).admitted);
  CHECK(kept->Admit(At(1'002'000)).admitted);
}

TEST_CASE("slots that come are used when their time has come") {
  SlidingWindow window(1);
  window.Admit(At(10));
  Slots more;
  more.Add(1, At(500'000));
  more.Add(1, At(0));
  auto grown = window.Moved(3, more, nullptr);
  CHECK(AdmittedOf(*grown, 3, 20) == 1);
  CHECK(AdmittedOf(*grown, 3, 499'999) == 0);
  CHECK(AdmittedOf(*grown, 3, 500'000) == 1);
  CHECK(AdmittedOf(*grown, 3, 1'000'010) == 1);
}

TEST_CASE("slots that are passed to and fro admit no more than those that stay") {
  std::mt19937_64 random(3);
  std::vector<std::shared_ptr<SlidingWindow>> windows;
  for (uint32_t limit : {5u, 5u, 0u}) windows.push_back(std::make_shared<SlidingWindow>(limit));
  std::vector<int64_t> admitted;
  for (int64_t now = 0; now < 30 * kWindowMicros; now += static_cast<int64_t>(random() % 20'000)) {
    auto& window = windows[random() % windows.size()];
    if (window->Admit(At(now)).admitted) admitted.push_back(now);
    auto& from = windows[random() % windows.size()];
    auto& to = windows[random() % windows.size()];
    if (from == to || from->limit() == 0) continue;
    Slots moved;
    from = from->Moved(from->limit() - 1, {}, &moved);
    to = to->Moved(to->limit() + 1, moved, nullptr);
  }
  CHECK(MostInOneSecond(admitted) <= 10);
  CHECK(admitted.size() > 250);
}

TEST_CASE("no second holds more than the limit when threads hammer at one window") {
  constexpr int kThreads = 4;
  constexpr int kTries = 150'000;
  for (uint32_t limit : {1u, 2u, 7u, 100u}) {
    SlidingWindow window(limit);
    std::atomic<int64_t> clock{0};
    std::vector<std::vector<int64_t>> admitted(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kTries; ++i) {
          const int64_t now = clock.fetch_add(37, std::memory_order_relaxed);
          if (window.Admit(At(now)).admitted) admitted[t].push_back(now);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    std::vector<int64_t> all;
    for (const auto& stamps : admitted) all.insert(all.end(), stamps.begin(), stamps.end());
    CHECK(MostInOneSecond(all) <= limit);
    CHECK(all.size() >= limit * 15);  // 22 seconds went by
  }
}

TEST_CASE("no second holds more than the largest limit while a window is resized under load") {
  constexpr int kThreads = 3;
  std::atomic<bool> done{false};
  std::atomic<int64_t> tries{0};
  std::vector<std::shared_ptr<SlidingWindow>> windows = {std::make_shared<SlidingWindow>(40)};
  std::vector<std::vector<int64_t>> admitted(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t, first = windows[0]] {
      for (; !done.load(); tries.fetch_add(1)) {
        const MonotonicTime now = SystemClock().Now();
        if (first->Admit(now).admitted) admitted[t].push_back(now.time_since_epoch() / std::chrono::microseconds(1));
      }
    });
  }
  for (uint32_t limit : {20u, 40u, 10u, 39u, 1u, 40u, 33u}) {
    for (const int64_t until = tries.load() + 20'000; tries.load() < until;) std::this_thread::yield();
    windows.push_back(windows.back()->Resized(limit));
  }
  done.store(true);
  for (std::thread& thread : threads) thread.join();
  std::vector<int64_t> all;
  for (const auto& stamps : admitted) all.insert(all.end(), stamps.begin(), stamps.end());
  CHECK(MostInOneSecond(all) == 40);
}

}  // namespace
}  // namespace sluice::quota
