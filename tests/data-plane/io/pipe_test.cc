#include "data-plane/io/pipe.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <deque>
#include <fstream>
#include <thread>

#include "catch2/catch.hpp"
#include "tests/data-plane/io/support.h"

namespace sluice::io {
namespace {

using namespace std::chrono_literals;

// Bytes of which every one says where it belongs.
std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& byte : bytes) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

// Two connections with a pipe between them.
struct Fixture {
  Loop loop;
  PipePool pool;
  Pair from{loop};
  Pair to{loop};
  Piped piped{pool};
  IoResult got;
  IoResult sent;

  Task<void> FillOnce(size_t max = kPipeBytes) {
    do {
      const IoError error = co_await from.stream->Readable(loop.Now() + 10s);
      SLUICE_CHECK(error == IoError::kNone && piped.Ready(*from.stream));
      got = piped.TryFill(*from.stream, max);
    } while (got.error == IoError::kWouldBlock);
  }
  Task<void> Drain(Duration stall) { sent = co_await WriteAll(*to.stream, piped, stall); }
  Task<void> CarryAll() {
    for (;;) {
      co_await FillOnce();
      if (!got.ok()) break;
      co_await Drain(10s);
      SLUICE_CHECK(sent.ok());
    }
    to.stream->ShutdownWrite();
  }
};

}  // namespace

TEST_CASE("bytes go from one connection to another as they are, and the pipe goes back") {
  Fixture fixture;
  const std::string bytes = Pattern(5'000'001);
  std::string arrived;
  std::thread source([&] { fixture.from.peer.Send(bytes), fixture.from.peer.ShutdownWrite(); });
  std::thread sink([&] {
    for (std::string piece = fixture.to.peer.Receive(); !piece.empty(); piece = fixture.to.peer.Receive()) {
      arrived += piece;
    }
  });
  RunTask(fixture.loop, fixture.CarryAll());
  source.join();
  sink.join();
  CHECK(fixture.got.error == IoError::kEnd);
  CHECK(arrived == bytes);
  CHECK(fixture.pool.open() == 1);
}

TEST_CASE("a pipe takes what it may, and what follows stays in the connection") {
  Fixture fixture;
  fixture.from.peer.Send("hello world");
  RunTask(fixture.loop, fixture.FillOnce(5));
  CHECK(fixture.piped.bytes() == 5);
  RunTask(fixture.loop, fixture.Drain(10s));
  CHECK(fixture.to.peer.Receive(5) == "hello");
  char rest[16];
  CHECK(fixture.from.stream->TryRead(rest).bytes == 6);
}

TEST_CASE("a pipe never holds more than its size, and a connection that takes nothing more is a timeout") {
  Fixture fixture;
  std::thread source([&] {
    const std::string piece = Pattern(1'000'000);
    while (send(fixture.from.peer.fd(), piece.data(), piece.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  fixture.sent = {};
  while (fixture.sent.ok()) {  // until the kernel's buffers are full
    RunTask(fixture.loop, fixture.FillOnce(SIZE_MAX));
    REQUIRE(fixture.got.ok());
    CHECK(fixture.piped.bytes() <= kPipeBytes);
    RunTask(fixture.loop, fixture.Drain(20ms));
  }
  CHECK(fixture.sent.error == IoError::kTimeout);
  CHECK_FALSE(fixture.piped.empty());
  fixture.from.stream.reset();
  source.join();
}

TEST_CASE("bytes that nobody takes are dropped with their pipe, and reach no other transfer") {
  Fixture fixture;
  fixture.from.peer.Send("secret");
  {
    Piped dropped(fixture.pool);
    while (!dropped.Ready(*fixture.from.stream) || !dropped.TryFill(*fixture.from.stream, 6).ok()) {
      RunTask(fixture.loop, [](Fixture& fixture) -> Task<void> {
        const IoError error = co_await fixture.from.stream->Readable(fixture.loop.Now() + 10s);
        SLUICE_CHECK(error == IoError::kNone);
      }(fixture));
    }
    CHECK(fixture.pool.open() == 1);
  }
  CHECK(fixture.pool.open() == 0);
}

TEST_CASE("a reset connection is told as such by either side of a pipe") {
  Fixture fixture;
  fixture.from.peer.Send("bytes");
  RunTask(fixture.loop, fixture.FillOnce());
  fixture.to.peer.Reset();
  RunTask(fixture.loop, [](Fixture& fixture) -> Task<void> {
    co_await fixture.loop.SleepUntil(fixture.loop.Now() + 10ms);
    co_await fixture.Drain(10s);
  }(fixture));
  CHECK(fixture.sent.error == IoError::kReset);
  Fixture other;
  other.from.peer.Reset();
  RunTask(other.loop, other.FillOnce());
  CHECK(other.got.error == IoError::kReset);
}

TEST_CASE("beyond the pool's number, and without descriptors, there is no pipe") {
  Loop loop;
  Pair pair(loop);
  PipePool pool(2);
  std::deque<Piped> taken;
  for (int i = 0; i < 3; ++i) taken.emplace_back(pool);
  CHECK(taken[0].Ready(*pair.stream));
  CHECK(taken[1].Ready(*pair.stream));
  CHECK_FALSE(taken[2].Ready(*pair.stream));
  taken.pop_front();
  CHECK(taken[1].Ready(*pair.stream));

  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit few{.rlim_cur = 4, .rlim_max = before.rlim_max};
  PipePool starved;
  Piped piped(starved);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
  const bool ready = piped.Ready(*pair.stream);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK_FALSE(ready);
  CHECK(starved.open() == 0);
  CHECK(piped.Ready(*pair.stream));
}

// The kernel counts the pages of pipes by user, except for those with privileges.
TEST_CASE("beyond the user's quota of pipe pages there is no pipe") {
  size_t pages = 0;
  std::ifstream("/proc/sys/fs/pipe-user-pages-soft") >> pages;
  const size_t enough = pages * 4096 / kPipeBytes + 1;
  if (pages == 0 || enough > 400) return;  // no quota, or more descriptors than a test may take
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (geteuid() == 0 && setuid(64'999) != 0) _exit(2);
    Loop loop;
    Pair pair(loop);
    PipePool pool(enough);
    std::deque<Piped> taken;
    while (taken.size() < enough && (taken.empty() || taken.back().Ready(*pair.stream))) taken.emplace_back(pool);
    _exit(!taken.back().Ready(*pair.stream) && pool.open() < enough ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

}  // namespace sluice::io
