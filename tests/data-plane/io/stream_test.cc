#include "data-plane/io/stream.h"

#include <thread>

#include "catch2/catch.hpp"
#include "tests/data-plane/io/support.h"

namespace sluice::io {
namespace {

using namespace std::chrono_literals;

Task<void> Read(Stream& stream, size_t size, MonotonicTime deadline, std::string& out, IoError& error) {
  out.resize(size);
  const IoResult result = co_await ReadSome(stream, out, deadline);
  out.resize(result.bytes);
  error = result.error;
}

Task<void> Write(Stream& stream, std::string_view data, Duration stall, IoResult& out) {
  out = co_await WriteAll(stream, data, stall);
}

Task<void> WriteFromScratch(Stream& stream, std::string& scratch, IoResult& out) {
  Task<IoResult> write = WriteAll(stream, scratch, 10s);
  out = co_await std::move(write);
}

Task<void> Overwrite(Loop& loop, std::string& scratch) {
  co_await loop.Yield();
  scratch.assign(scratch.size(), '#');
}

Task<void> CancelLater(Loop& loop, Stream& stream) {
  co_await loop.Yield();
  stream.Cancel();
}

// One turn of the loop after the kernel has had its say.
Task<void> Breathe(Loop& loop) { co_await loop.SleepUntil(loop.Now() + 10ms); }

// Reads byte by byte into a buffer that another coroutine overwrites whenever it gets to run.
Task<void> ReadThroughScratch(Stream& stream, char& scratch, int count, std::string& out) {
  for (int i = 0; i < count; ++i) {
    const IoResult result = co_await ReadSome(stream, {&scratch, 1}, kNever);
    if (result.ok()) out += scratch;
  }
}

Task<void> Scribble(Loop& loop, char& scratch, int& runs) {
  for (; scratch != '.'; ++runs) {
    scratch = '#';
    co_await loop.Yield();
  }
}

struct Fixture {
  Loop loop;
  Pair pair{loop};
  std::string got;
  IoError error = IoError::kNone;
  void ReadOnce(size_t size = 100, MonotonicTime deadline = kNever) {
    RunTask(loop, Read(*pair.stream, size, deadline, got, error));
  }
};

TEST_CASE("bytes that were sent are read") {
  Fixture t;
  t.pair.peer.Send("hello");
  t.ReadOnce();
  CHECK(t.got == "hello");
}

TEST_CASE("after a short read the kernel is not asked again") {
  Fixture t;
  t.pair.peer.Send("hello");
  t.ReadOnce();
  t.pair.peer.Send("more");  // no event has told of it yet
  char byte;
  CHECK(t.pair.stream->TryRead({&byte, 1}).error == IoError::kWouldBlock);
  t.ReadOnce();
  CHECK(t.got == "more");
}

TEST_CASE("a full read goes on without waiting for another event") {
  Fixture t;
  t.pair.peer.Send("hello");
  t.ReadOnce(2);
  CHECK(t.got == "he");
  char bytes[3];
  CHECK(t.pair.stream->TryRead(bytes).bytes == 3);
}

TEST_CASE("a busy reader lets others run, but never between a read and its use") {
  Fixture t;
  std::string sent(101, 'x');
  sent.back() = '.';
  t.pair.peer.Send(sent);
  char scratch = 0;
  int runs = 0;
  std::string out;
  t.loop.Spawn(Scribble(t.loop, scratch, runs));
  RunTask(t.loop, ReadThroughScratch(*t.pair.stream, scratch, 101, out));
  CHECK(out == sent);
  CHECK(runs >= 50);
}

TEST_CASE("a reader whose buffer was filled waits for its turn before it goes on") {
  Fixture t;
  t.pair.peer.Send("hello");
  t.ReadOnce(2);
  CHECK_FALSE(t.pair.stream->Readable(kNever).await_ready());
  t.ReadOnce(10);
  CHECK(t.got == "llo");
  t.pair.peer.Send("more");
  t.ReadOnce(10);
  CHECK(t.got == "more");
}

TEST_CASE("a FIN behind the bytes of a short read is not lost") {
  Fixture t;
  t.pair.peer.Send("bye");
  t.pair.peer.ShutdownWrite();
  RunTask(t.loop, Breathe(t.loop));
  t.ReadOnce();
  CHECK(t.got == "bye");
  t.ReadOnce(100, t.loop.Now() + 5s);
  CHECK(t.error == IoError::kEnd);
}

TEST_CASE("a reset is told as one") {
  Fixture t;
  t.pair.peer.Reset();
  t.ReadOnce();
  CHECK(t.error == IoError::kReset);
}

TEST_CASE("reading ends at its deadline") {
  Fixture t;
  t.ReadOnce(100, t.loop.Now() + 5ms);
  CHECK(t.error == IoError::kTimeout);
}

TEST_CASE("after the peer's FIN writing still works") {
  Fixture t;
  t.pair.peer.ShutdownWrite();
  t.ReadOnce();
  CHECK(t.error == IoError::kEnd);
  IoResult result;
  RunTask(t.loop, Write(*t.pair.stream, "answer", 1s, result));
  CHECK(result.ok());
  CHECK(t.pair.peer.Receive() == "answer");
}

TEST_CASE("shutting down the write side leaves reading open") {
  Fixture t;
  t.pair.stream->ShutdownWrite();
  CHECK(t.pair.peer.Receive() == "");
  t.pair.peer.Send("still here");
  t.ReadOnce();
  CHECK(t.got == "still here");
}

TEST_CASE("ten megabytes reach a slow reader whole and in order") {
  Fixture t;
  std::string sent(10 * 1024 * 1024, '\0');
  for (size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31 >> 7);
  std::string received;
  std::thread reader([&t, &received] {
    for (std::string piece; !(piece = t.pair.peer.Receive(3001)).empty();) received += piece;
  });
  IoResult result;
  RunTask(t.loop, Write(*t.pair.stream, sent, 10s, result));
  CHECK(result.bytes == sent.size());
  t.pair.stream->ShutdownWrite();
  reader.join();
  CHECK(received == sent);
}

TEST_CASE("what the kernel did not take is copied before others may overwrite it") {
  Fixture t;
  std::string scratch(8 * 1024 * 1024, 'x');
  IoResult result;
  std::thread reader;
  t.loop.Spawn(Overwrite(t.loop, scratch));
  size_t wrong = 0;
  reader = std::thread([&t, &wrong] {
    for (std::string piece; !(piece = t.pair.peer.Receive()).empty();) {
      wrong += piece.size() - std::count(piece.begin(), piece.end(), 'x');
    }
  });
  RunTask(t.loop, WriteFromScratch(*t.pair.stream, scratch, result));
  t.pair.stream->ShutdownWrite();
  reader.join();
  CHECK(wrong == 0);
}

TEST_CASE("a write that makes no progress ends after its stall") {
  Fixture t;
  const std::string much(16 * 1024 * 1024, 'x');
  IoResult result;
  RunTask(t.loop, Write(*t.pair.stream, much, 20ms, result));
  CHECK(result.error == IoError::kTimeout);
  CHECK(result.bytes < much.size());
}

TEST_CASE("writing to a connection that was reset fails") {
  Fixture t;
  t.pair.peer.Reset();
  RunTask(t.loop, Breathe(t.loop));
  IoResult result;
  RunTask(t.loop, Write(*t.pair.stream, "x", 1s, result));
  CHECK(result.error == IoError::kReset);
}

TEST_CASE("writing nothing succeeds at once") {
  Fixture t;
  IoResult result{1, IoError::kReset};
  RunTask(t.loop, Write(*t.pair.stream, "", 1s, result));
  CHECK(result.ok());
}

TEST_CASE("cancelling resumes the reader, and every later attempt says so") {
  Fixture t;
  t.loop.Spawn(CancelLater(t.loop, *t.pair.stream));
  t.ReadOnce();
  CHECK(t.error == IoError::kCancelled);
  char byte;
  CHECK(t.pair.stream->TryRead({&byte, 1}).error == IoError::kCancelled);
  CHECK(t.pair.stream->TryWrite("x").error == IoError::kCancelled);
}

TEST_CASE("a quiet idle connection is not stale") {
  Fixture t;
  RunTask(t.loop, Breathe(t.loop));
  CHECK_FALSE(t.pair.stream->IsStale());
}

TEST_CASE("an idle connection whose peer spoke unasked is stale") {
  Fixture t;
  t.pair.peer.Send("x");
  RunTask(t.loop, Breathe(t.loop));
  CHECK(t.pair.stream->IsStale());
}

TEST_CASE("an idle connection whose peer left is stale") {
  Fixture t;
  t.pair.peer.Close();
  RunTask(t.loop, Breathe(t.loop));
  CHECK(t.pair.stream->IsStale());
}

TEST_CASE("a stream that was told so resets the connection when it closes") {
  Fixture t;
  t.pair.stream->ResetOnClose();
  t.pair.stream.reset();
  char byte;
  CHECK(recv(t.pair.peer.fd(), &byte, 1, 0) == -1);
  CHECK(errno == ECONNRESET);
}

TEST_CASE("a stream closes with a FIN") {
  Fixture t;
  t.pair.stream.reset();
  char byte;
  CHECK(recv(t.pair.peer.fd(), &byte, 1, 0) == 0);
}

TEST_CASE("every error has a name") {
  CHECK(ToString(IoError::kTls) == "tls");
  CHECK(ToString(IoError::kReset) == "reset");
}

}  // namespace
}  // namespace sluice::io
