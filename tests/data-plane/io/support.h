#pragma once

// A loop that runs one task to its end, and TCP connections whose other end is a plain blocking socket. One thread.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "common/base/check.h"
#include "data-plane/io/loop.h"
#include "data-plane/io/stream.h"

namespace sluice::io {

inline Task<void> StopAfter(Loop& loop, Task<void> task) {
  co_await std::move(task);
  loop.Stop();
}

inline void RunTask(Loop& loop, Task<void> task) {
  loop.Spawn(StopAfter(loop, std::move(task)));
  loop.Run();
}

// A listening socket of the test's own, on a free port of 127.0.0.1.
class TestListener {
 public:
  explicit TestListener(int backlog = 16) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    SLUICE_CHECK(bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(fd_, backlog) == 0);
    SLUICE_CHECK(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~TestListener() { Close(); }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  int Accept() { return accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); }
  Endpoint endpoint() const { return {"127.0.0.1", port_}; }

 private:
  int fd_;
  uint16_t port_ = 0;
};

// A blocking socket connected to 127.0.0.1:port.
class TestClient {
 public:
  explicit TestClient(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    SLUICE_CHECK(fd_ >= 0 && connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  explicit TestClient(int fd, int) : fd_(fd) {}
  ~TestClient() { Close(); }
  TestClient(TestClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

  void Send(std::string_view data) { SLUICE_CHECK(send(fd_, data.data(), data.size(),
      MSG_NOSIGNAL) == ssize_t(data.size())); }
  // Up to `size` bytes; "" at the end.
  std::string Receive(size_t size = 65536) {
    std::string bytes(size, '\0');
    const ssize_t count = recv(fd_, bytes.data(), size, 0);
    bytes.resize(count > 0 ? size_t(count) : 0);
    return bytes;
  }
  void ShutdownWrite() { shutdown(fd_, SHUT_WR); }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  void Reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    Close();
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

// A stream of the loop and, at its other end, a blocking socket.
struct Pair {
  explicit Pair(Loop& loop) : peer(listener.endpoint().port) {
    const int fd = listener.Accept();
    SLUICE_CHECK(fd >= 0);
    SetNonBlocking(fd);
    stream = MakeTcpStream(loop, fd);
  }
  static void SetNonBlocking(int fd);

  TestListener listener;
  TestClient peer;
  std::unique_ptr<Stream> stream;
};

inline MonotonicTime In(Loop& loop, Duration duration) { return loop.Now() + duration; }

}  // namespace sluice::io
