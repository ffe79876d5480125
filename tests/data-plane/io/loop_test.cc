#include "data-plane/io/loop.h"

#include <sys/epoll.h>

#include <thread>

#include "catch2/catch.hpp"
#include "tests/data-plane/io/support.h"

namespace sluice::io {
namespace {

using namespace std::chrono_literals;

Task<void> WaitFor(Event& event, MonotonicTime deadline, int& result) {
  const bool set = co_await event.Wait(deadline);
  result = set ? 1 : 0;
}

Task<void> SetThenNote(Event& event, int& result, int& seen_at_set) {
  event.Set();
  seen_at_set = result;
  co_return;
}

Task<void> SetThenReset(Event& event) {
  event.Set();
  event.Reset();
  co_return;
}

Task<void> Nothing() {
  co_return;
}

Task<void> Spin(Loop& loop, bool& stop, int& rounds) {
  while (!stop) {
    ++rounds;
    co_await loop.Yield();
  }
}

struct BulkTurn {
  Loop& loop;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) { loop.DeferBulk(handle); }
  void await_resume() const {}
};

Task<void> Transfer(Loop& loop, std::string& order) {
  co_await BulkTurn{loop};
  order += 'B';
}

Task<void> SmallMessages(Loop& loop, int count, std::string& order) {
  for (int i = 0; i < count; ++i) {
    order += 's';
    co_await loop.Yield();
  }
  loop.Stop();
}

TEST_CASE("a turn takes few steps of large transfers, and everything else first") {
  Loop loop;
  std::string order;
  for (int i = 0; i < 10; ++i) loop.Spawn(Transfer(loop, order));
  loop.Spawn(SmallMessages(loop, 2 * kMaxDeferRounds, order));
  loop.Run();
  CHECK(order == "ssssBBBBssssBBBBBB");
}

TEST_CASE("an event that was set before is not waited for") {
  Loop loop;
  Event event(loop);
  event.Set();
  int result = -1;
  RunTask(loop, WaitFor(event, kNever, result));
  CHECK(result == 1);
}

TEST_CASE("waiting for an event ends at its deadline") {
  Loop loop;
  Event event(loop);
  int result = -1;
  RunTask(loop, WaitFor(event, loop.Now() + 5ms, result));
  CHECK(result == 0);
}

TEST_CASE("setting an event does not resume its waiter on the setter's stack") {
  Loop loop;
  Event event(loop);
  int result = -1;
  int seen_at_set = 0;
  loop.Spawn(SetThenNote(event, result, seen_at_set));
  RunTask(loop, WaitFor(event, kNever, result));
  CHECK(result == 1);
  event.Reset();
  result = -1;
  loop.Spawn(WaitFor(event, kNever, result));
  RunTask(loop, Nothing());
  RunTask(loop, SetThenNote(event, result, seen_at_set));
  CHECK(seen_at_set == -1);
}

TEST_CASE("an event that was reset before its waiter ran still counts as set for it") {
  Loop loop;
  Event event(loop);
  int result = -1;
  loop.Spawn(WaitFor(event, kNever, result));
  RunTask(loop, Nothing());
  RunTask(loop, SetThenReset(event));
  RunTask(loop, Nothing());
  CHECK(result == 1);
  CHECK_FALSE(event.is_set());
}

TEST_CASE("work posted from another thread runs on the loop's, in order") {
  Loop loop;
  std::vector<int> order;
  std::thread::id ran_on;
  std::thread poster([&loop, &order, &ran_on] {
    for (int i = 0; i < 100; ++i) loop.Post([i, &order] { order.push_back(i); });
    loop.Post([&loop, &ran_on] {
      ran_on = std::this_thread::get_id();
      loop.Stop();
    });
  });
  loop.Run();
  poster.join();
  CHECK(ran_on == std::this_thread::get_id());
  CHECK(order.size() == 100);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("work may post more work") {
  Loop loop;
  loop.Post([&loop] { loop.Post([&loop] { loop.Stop(); }); });
  loop.Run();
  SUCCEED();
}

TEST_CASE("a loop runs again after it was stopped") {
  Loop loop;
  int runs = 0;
  for (int i = 0; i < 2; ++i) {
    loop.Post([&loop, &runs] {
      ++runs;
      loop.Stop();
    });
    loop.Run();
  }
  CHECK(runs == 2);
}

TEST_CASE("coroutines that always yield do not keep timers and posts from running") {
  Loop loop;
  bool stop = false;
  int rounds = 0;
  loop.Spawn(Spin(loop, stop, rounds));
  Timer timer;
  timer.Arm(
      loop, loop.Now() + 8ms, [](void* flag) { *static_cast<bool*>(flag) = true; }, &stop);
  while (!stop) RunTask(loop, Nothing());
  CHECK(rounds > 1);
}

// Unwatches and destroys its peer at the first event: both are ready in the same turn.
struct Rival final : Pollable {
  Loop& loop;
  int fd;
  Rival* other = nullptr;
  int events = 0;
  Rival(Loop& loop, int fd) : loop(loop), fd(fd) {}
  void OnEvents(uint32_t) override {
    ++events;
    loop.Unwatch(other->fd, other);
  }
};

TEST_CASE("what is unwatched gets no event, not even one of the same turn") {
  Loop loop;
  int fds[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
  Rival a(loop, fds[0]);
  Rival b(loop, fds[1]);
  a.other = &b;
  b.other = &a;
  REQUIRE(loop.Watch(fds[0], &a) == 0);
  REQUIRE(loop.Watch(fds[1], &b) == 0);
  RunTask(loop, Nothing());
  CHECK(a.events + b.events == 1);
  close(fds[0]);
  close(fds[1]);
}

TEST_CASE("watching what is not a descriptor tells the errno") {
  Loop loop;
  Rival nobody(loop, -1);
  CHECK(loop.Watch(-1, &nobody) == EBADF);
}

}  // namespace
}  // namespace sluice::io
