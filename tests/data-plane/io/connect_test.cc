#include "catch2/catch.hpp"
#include "data-plane/io/stream.h"
#include "tests/data-plane/io/support.h"

namespace sluice::io {
namespace {

using namespace std::chrono_literals;

Task<void> Connect(Loop& loop, Endpoint to, MonotonicTime deadline, Connected& out,
                   Cancellation* cancellation = nullptr) {
  out = co_await ConnectTcp(loop, to, deadline, cancellation);
}

TEST_CASE("connecting to a listener gives a stream that carries bytes") {
  Loop loop;
  TestListener listener;
  Connected connected;
  RunTask(loop, Connect(loop, listener.endpoint(), loop.Now() + 5s, connected));
  REQUIRE(connected.stream != nullptr);
  TestClient peer(listener.Accept(), 0);
  CHECK(connected.stream->TryWrite("hi").bytes == 2);
  CHECK(peer.Receive() == "hi");
}

TEST_CASE("a refused connection tells the errno") {
  Loop loop;
  TestListener listener;
  listener.Close();
  Connected connected;
  RunTask(loop, Connect(loop, listener.endpoint(), loop.Now() + 5s, connected));
  CHECK(connected.stream == nullptr);
  CHECK(connected.error == IoError::kReset);
  CHECK(connected.system_error == ECONNREFUSED);
}

TEST_CASE("a connection that nobody accepts or refuses times out") {
  Loop loop;
  TestListener listener(0);
  std::vector<Connected> held(4);  // fills the backlog; further ones get no answer
  for (Connected& one : held) RunTask(loop, Connect(loop, listener.endpoint(), loop.Now() + 30ms, one));
  CHECK(held.back().error == IoError::kTimeout);
  CHECK(held.back().stream == nullptr);
}

TEST_CASE("connecting ends at once when it is cancelled, also before it began") {
  Loop loop;
  TestListener listener(0);
  TestClient first(listener.endpoint().port);
  for (const bool before : {false, true}) {
    Cancellation cancellation;
    Timer timer;
    const auto cancel = [](void* self) { static_cast<Cancellation*>(self)->Cancel(); };
    if (before) {
      cancellation.Cancel();
    } else {
      timer.Arm(loop, loop.Now() + 20ms, cancel, &cancellation);
    }
    Connected connected;
    RunTask(loop, Connect(loop, listener.endpoint(), kNever, connected, &cancellation));
    CHECK(connected.error == IoError::kCancelled);
    CHECK(connected.stream == nullptr);
  }
}

TEST_CASE("a name is not an address to connect to") {
  Loop loop;
  Connected connected;
  RunTask(loop, Connect(loop, {"localhost", 80}, loop.Now() + 5s, connected));
  CHECK(connected.error == IoError::kReset);
  CHECK(connected.system_error == EINVAL);
}

}  // namespace
}  // namespace sluice::io
