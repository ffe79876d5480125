#include "catch2/catch.hpp"
#include "data-plane/io/timer_wheel.h"
#include "tests/data-plane/io/support.h"

namespace sluice::io {
namespace {

using namespace std::chrono_literals;

Task<void> SleepFor(Loop& loop, Duration duration, MonotonicTime& woke) {
  co_await loop.SleepUntil(loop.Now() + duration);
  woke = std::chrono::steady_clock::now();
}

Task<void> SleepUntil(Loop& loop, MonotonicTime deadline) { co_await loop.SleepUntil(deadline); }

void Count(void* counter) { ++*static_cast<int*>(counter); }

TEST_CASE("a timer never fires early") {
  Loop loop;
  for (const Duration duration : {1ms, 3ms, 4ms, 5ms, 9ms, 17ms}) {
    const MonotonicTime deadline = loop.Now() + duration;
    RunTask(loop, SleepUntil(loop, deadline));
    CHECK(std::chrono::steady_clock::now() >= deadline);
  }
}

TEST_CASE("sleeping until now or before does not suspend") {
  Loop loop;
  CHECK(loop.SleepUntil(loop.Now()).await_ready());
  CHECK(loop.SleepUntil(loop.Now() - 1h).await_ready());
  CHECK_FALSE(loop.SleepUntil(loop.Now() + 1ns).await_ready());
}

TEST_CASE("a disarmed timer does not fire") {
  Loop loop;
  int fired = 0;
  Timer timer;
  timer.Arm(loop, loop.Now() + 4ms, Count, &fired);
  timer.Disarm();
  RunTask(loop, SleepUntil(loop, loop.Now() + 20ms));
  CHECK(fired == 0);
  CHECK_FALSE(timer.armed());
}

TEST_CASE("arming again moves the deadline") {
  Loop loop;
  int fired = 0;
  Timer timer;
  timer.Arm(loop, loop.Now() + 1h, Count, &fired);
  timer.Arm(loop, loop.Now() + 4ms, Count, &fired);
  RunTask(loop, SleepUntil(loop, loop.Now() + 20ms));
  CHECK(fired == 1);
}

TEST_CASE("kNever arms nothing") {
  Loop loop;
  Timer timer;
  timer.Arm(loop, kNever, Count, nullptr);
  CHECK_FALSE(timer.armed());
}

// The wheel alone, with times of the test's own making.
struct Wheel {
  Loop loop;
  MonotonicTime start = loop.Now();
  int fired = 0;
};

TEST_CASE("a deadline rounds of the wheel ahead waits for its round") {
  Wheel t;
  Timer timer;
  timer.Arm(t.loop, t.loop.Now() + 100s, Count, &t.fired);
  MonotonicTime woke{};
  RunTask(t.loop, SleepFor(t.loop, 10ms, woke));
  CHECK(t.fired == 0);
  CHECK(timer.armed());
}

struct Rearm {
  Loop& loop;
  Timer timer;
  int fired = 0;
  static void Fire(void* self) {
    auto& me = *static_cast<Rearm*>(self);
    if (++me.fired < 3) me.timer.Arm(me.loop, me.loop.Now() - 1s, Fire, self);
  }
};

TEST_CASE("a timer armed in its own callback for the past fires again, not within it") {
  Loop loop;
  Rearm rearm{loop, {}};
  rearm.timer.Arm(loop, loop.Now(), Rearm::Fire, &rearm);
  RunTask(loop, SleepUntil(loop, loop.Now() + 20ms));
  CHECK(rearm.fired == 3);
}

struct DisarmsOther {
  Timer* other;
  int fired = 0;
};

TEST_CASE("a timer may disarm another one that is due in the same turn") {
  Loop loop;
  Timer first;
  Timer second;
  DisarmsOther a{&second};
  DisarmsOther b{&first};
  const auto fire = [](void* self) {
    auto& me = *static_cast<DisarmsOther*>(self);
    ++me.fired;
    me.other->Disarm();
  };
  first.Arm(loop, loop.Now() + 4ms, fire, &a);
  second.Arm(loop, loop.Now() + 4ms, fire, &b);
  RunTask(loop, SleepUntil(loop, loop.Now() + 20ms));
  CHECK(a.fired + b.fired == 1);
}

TEST_CASE("ten thousand timers all fire, each at or after its deadline") {
  Loop loop;
  struct One {
    Timer timer;
    MonotonicTime deadline;
    bool late = false;
  };
  std::vector<One> timers(10'000);
  const auto fire = [](void* self) {
    auto& one = *static_cast<One*>(self);
    one.late = std::chrono::steady_clock::now() >= one.deadline;
  };
  for (size_t i = 0; i < timers.size(); ++i) {
    timers[i].deadline = loop.Now() + std::chrono::microseconds(i * 7);
    timers[i].timer.Arm(loop, timers[i].deadline, fire, &timers[i]);
  }
  RunTask(loop, SleepUntil(loop, loop.Now() + 90ms));
  CHECK(std::all_of(timers.begin(), timers.end(), [](const One& one) { return one.late; }));
}

}  // namespace
}  // namespace sluice::io
