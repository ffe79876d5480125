#include "data-plane/io/listener.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include "catch2/catch.hpp"
#include "common/base/descriptors.h"
#include "tests/data-plane/io/support.h"

namespace sluice::io {
namespace {

using namespace std::chrono_literals;

Task<void> UntilCount(Loop& loop, const std::vector<Accepted>& accepted, size_t count) {
  while (accepted.size() < count) co_await loop.SleepUntil(loop.Now() + 1ms);
}

Task<void> UntilRefused(Loop& loop, const Listener& listener, uint64_t count) {
  while (listener.refused() < count) co_await loop.SleepUntil(loop.Now() + 1ms);
}

struct Fixture {
  Loop loop;
  std::vector<Accepted> accepted;
  std::unique_ptr<Listener> listener;
  Fixture() {
    auto opened = Listener::Open(loop, {"127.0.0.1", 0}, [this](Accepted one) { accepted.push_back(one); });
    REQUIRE(opened.ok());
    listener = std::move(*opened);
  }
  ~Fixture() { CloseAccepted(); }
  void CloseAccepted() {
    for (const Accepted& one : accepted) close(one.fd);
    accepted.clear();
  }
};

TEST_CASE("a listener takes a free port and hands over whom it accepts") {
  Fixture t;
  TestClient client(t.listener->port());
  RunTask(t.loop, UntilCount(t.loop, t.accepted, 1));
  CHECK(t.accepted[0].peer.address == "127.0.0.1");
  CHECK(t.accepted[0].local == Endpoint{"127.0.0.1", t.listener->port()});
}

TEST_CASE("accepted descriptors are non-blocking, closed on exec and without delay") {
  Fixture t;
  TestClient client(t.listener->port());
  RunTask(t.loop, UntilCount(t.loop, t.accepted, 1));
  const int fd = t.accepted[0].fd;
  int nodelay = 0;
  socklen_t size = sizeof nodelay;
  getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &size);
  CHECK(nodelay == 1);
  CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("more connections than one turn takes are all accepted") {
  Fixture t;
  std::vector<TestClient> clients;
  for (int i = 0; i < kMaxAcceptsInTurn * 2 + 1; ++i) clients.emplace_back(t.listener->port());
  RunTask(t.loop, UntilCount(t.loop, t.accepted, clients.size()));
  CHECK(t.accepted.size() == clients.size());
}

TEST_CASE("two loops listen on one port") {
  Fixture t;
  Loop other;
  const auto second = Listener::Open(other, {"127.0.0.1", t.listener->port()}, [](Accepted one) { close(one.fd); });
  CHECK(second.ok());
}

TEST_CASE("an address that is not ours is an error that names it") {
  Loop loop;
  const auto opened = Listener::Open(loop, {"192.0.2.1", 0}, [](Accepted) {});
  REQUIRE_FALSE(opened.ok());
  CHECK(std::string(opened.status().message()).find("192.0.2.1") != std::string::npos);
}

TEST_CASE("a name is not an address to listen on") {
  Loop loop;
  const auto opened = Listener::Open(loop, {"localhost", 0}, [](Accepted) {});
  CHECK(absl::IsInvalidArgument(opened.status()));
}

// Lowers the limit of descriptors to the ones in use and `left` more.
class NoMoreDescriptors {
 public:
  explicit NoMoreDescriptors(rlim_t left) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(next);
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(next) + left;
    setrlimit(RLIMIT_NOFILE, &now);
  }
  ~NoMoreDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_;
};

TEST_CASE("without descriptors connections are closed at once, and accepted again afterwards") {
  const int left = GENERATE(0, 1, kReservedDescriptors);
  Fixture t;
  TestClient first(t.listener->port());
  TestClient second(t.listener->port());
  {
    NoMoreDescriptors exhausted(left);
    RunTask(t.loop, UntilRefused(t.loop, *t.listener, 2));
  }
  CHECK(t.accepted.empty());
  CHECK(first.Receive() == "");
  TestClient third(t.listener->port());
  RunTask(t.loop, UntilCount(t.loop, t.accepted, 1));
  CHECK(t.accepted.size() == 1);
}

TEST_CASE("connections take what is not reserved") {
  Fixture t;
  TestClient first(t.listener->port());
  TestClient second(t.listener->port());
  {
    NoMoreDescriptors exhausted(kReservedDescriptors + 1);
    RunTask(t.loop, UntilRefused(t.loop, *t.listener, 1));
  }
  CHECK(t.accepted.size() == 1);
}

}  // namespace
}  // namespace sluice::io
