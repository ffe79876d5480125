#include "data-plane/io/task.h"

#include "catch2/catch.hpp"
#include "tests/data-plane/io/support.h"

namespace sluice::io {
namespace {

Task<int> Answer(int value) { co_return value; }

Task<void> SumInLoop(int rounds, int64_t& sum) {
  for (int i = 0; i < rounds; ++i) {
    const int value = co_await Answer(1);
    sum += value;
  }
}

Task<int> Nested(int depth) {
  if (depth == 0) co_return 0;
  const int below = co_await Nested(depth - 1);
  co_return below + 1;
}

Task<void> Store(int depth, int& out) { out = co_await Nested(depth); }

Task<std::unique_ptr<int>> MoveOnly() { co_return std::make_unique<int>(7); }

Task<void> TakeMoveOnly(int& out) {
  const std::unique_ptr<int> value = co_await MoveOnly();
  out = *value;
}

Task<int> HalfLater(Loop& loop, int value) {
  co_await loop.Yield();
  co_return value / 2;
}

Task<int> Half(Loop& loop, int value, bool wait) {
  if (wait) return HalfLater(loop, value);
  return value / 2;
}

Task<void> HalveTwice(Loop& loop, bool wait, std::string& out) {
  out = co_await Then(Then(Half(loop, 8, wait), [](int half) { return half / 2; }),
                      [](int quarter) { return std::to_string(quarter); });
}

struct NotesEnd {
  bool& ended;
  ~NotesEnd() { ended = true; }
};

Task<void> NeverStarted(bool& started) {
  started = true;
  co_return;
}

Task<void> WaitForever(Loop& loop, bool& destroyed) {
  NotesEnd note{destroyed};
  co_await loop.SleepUntil(kNever);
}

TEST_CASE("a million awaits in a loop use no stack") {
  Loop loop;
  int64_t sum = 0;
  RunTask(loop, SumInLoop(1'000'000, sum));
  CHECK(sum == 1'000'000);
}

TEST_CASE("a task that has its result when it is made gives it like any other") {
  Loop loop;
  for (const bool wait : {false, true}) {
    CHECK(Half(loop, 8, wait).done() == !wait);
    std::string out;
    RunTask(loop, HalveTwice(loop, wait, out));
    CHECK(out == "2");
  }
}

TEST_CASE("a chain of a thousand tasks returns through all of them") {
  Loop loop;
  int depth = 0;
  RunTask(loop, Store(1000, depth));
  CHECK(depth == 1000);
}

TEST_CASE("a task hands over what cannot be copied") {
  Loop loop;
  int value = 0;
  RunTask(loop, TakeMoveOnly(value));
  CHECK(value == 7);
}

TEST_CASE("a task that nobody awaits never starts") {
  bool started = false;
  { const Task<void> task = NeverStarted(started); }
  CHECK_FALSE(started);
}

TEST_CASE("a spawned task starts after its spawner and not within it") {
  Loop loop;
  bool started = false;
  loop.Spawn(NeverStarted(started));
  CHECK_FALSE(started);
  RunTask(loop, SumInLoop(0, *std::make_unique<int64_t>()));
  CHECK(started);
}

TEST_CASE("the loop destroys what is still suspended, down to its locals") {
  bool destroyed = false;
  {
    Loop loop;
    loop.Spawn(WaitForever(loop, destroyed));
    int64_t sum = 0;
    RunTask(loop, SumInLoop(1, sum));
    CHECK(loop.spawned() == 1);
    CHECK_FALSE(destroyed);
  }
  CHECK(destroyed);
}

TEST_CASE("frames are reused") {
  void* const first = AllocateFrame(200);
  FreeFrame(first, 200);
  void* const second = AllocateFrame(250);  // of the same class
  FreeFrame(second, 250);
#ifndef __SANITIZE_ADDRESS__
  CHECK(first == second);
#endif
}

TEST_CASE("frames larger than every class come from the heap") {
  void* const frame = AllocateFrame(1 << 20);
  std::memset(frame, 1, 1 << 20);
  FreeFrame(frame, 1 << 20);
}

}  // namespace
}  // namespace sluice::io
