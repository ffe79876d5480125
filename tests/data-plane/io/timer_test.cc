#include "data-plane/io/timer_wheel.h"

#include "catch2/catch.hpp"
#include "tests/data-plane/io/support.h"

namespace sluice::io {
namespace {

using namespace std::chrono_literals;

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

// The wheel alone, with times of the test's own making. The loop only lends its name to timers.
struct Wheel {
  Loop loop;
  MonotonicTime start{1h};
  TimerWheel wheel{start};
  int fired = 0;
  void Arm(Timer& timer, Duration after, Duration now = {}) {
    wheel.Arm(timer, loop, {.at = start + after, .fire = Count, .context = &fired}, start + now);
  }
  ~Wheel() { wheel.Fire(start + 24h); }  // so that no timer looks for its loop's wheel
};

TEST_CASE("a deadline rounds of the wheel ahead fires in its round and not before") {
  Timer timer;
  Wheel t;
  t.Arm(timer, 100s);
  for (int second = 1; second < 100; ++second) t.wheel.Fire(t.start + std::chrono::seconds(second));
  t.wheel.Fire(t.start + 100s - 1ns);
  CHECK(t.fired == 0);
  t.wheel.Fire(t.start + 100s);
  CHECK(t.fired == 1);
}

TEST_CASE("timers of a time that was slept through all fire") {
  Timer first, second, third;
  Wheel t;
  t.Arm(first, 1ms);
  t.Arm(second, 17s);
  t.Arm(third, 59s);
  t.wheel.Fire(t.start + 60s);
  CHECK(t.fired == 3);
}

TEST_CASE("the next wake is the tick of the earliest timer, never before its deadline") {
  Timer far, near;
  Wheel t;
  CHECK(t.wheel.NextWake() == kNever);
  t.Arm(far, 10s);
  t.Arm(near, 5ms);
  CHECK(t.wheel.NextWake() == t.start + 8ms);
  t.wheel.Fire(t.start + 8ms);
  CHECK(t.wheel.NextWake() == t.start + 10s);
}

TEST_CASE("a deadline that has passed is due at once") {
  Timer timer;
  Wheel t;
  t.wheel.Fire(t.start + 1s);
  t.Arm(timer, 500ms, 1s);
  CHECK(t.wheel.NextWake() <= t.start);
  t.wheel.Fire(t.start + 1s);
  CHECK(t.fired == 1);
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
