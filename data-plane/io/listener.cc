#include "data-plane/io/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/base/descriptors.h"
#include "data-plane/io/address.h"

namespace sluice::io {
namespace {

int OpenReserve() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

class TcpListener final : public Listener, public Pollable {
 public:
  TcpListener(Loop& loop, int fd, Endpoint bound, std::function<void(Accepted)> accepted)
      : loop_(loop), fd_(fd), reserve_(OpenReserve()), bound_(std::move(bound)), accepted_(std::move(accepted)) {
    wildcard_ = bound_.address == "0.0.0.0" || bound_.address == "::";
  }
  ~TcpListener() override {
    loop_.Unwatch(fd_, this);
    close(fd_);
    if (reserve_ >= 0) close(reserve_);
  }

  uint16_t port() const override { return bound_.port; }
  uint64_t refused() const override { return refused_.load(std::memory_order_relaxed); }
  void OnEvents(uint32_t) override { AcceptSome(); }

 private:
  void AcceptSome() {
    for (int i = 0; i < kMaxAcceptsInTurn; ++i) {
      sockaddr_storage peer{};
      socklen_t size = sizeof peer;
      const int fd = accept4(fd_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0 && IsReservedDescriptor(fd)) {
        Refuse(fd);
        continue;
      }
      if (fd >= 0) {
        accepted_({.fd = fd, .peer = ToEndpoint(peer), .local = LocalOf(fd)});
        continue;
      }
      if (errno == EAGAIN) return;
      if (errno == EMFILE || errno == ENFILE) {
        if (!RefuseOne()) return RetryAt(loop_.Now() + kAcceptRetry);
      } else if (errno == ENOBUFS || errno == ENOMEM) {
        return RetryAt(loop_.Now() + kAcceptRetry);
      }
      // Anything else befell one connection only (it was reset, or its network failed) and is no reason to stop.
    }
    RetryAt(loop_.Now());
  }

  void Refuse(int fd) {
    refused_.fetch_add(1, std::memory_order_relaxed);  // first: whoever sees it closed sees it counted
    close(fd);
  }

  // Not even those are left that connections may not use. Gives the reserve descriptor to the waiting connection for as
  // long as it takes to close it.
  bool RefuseOne() {
    if (reserve_ < 0) reserve_ = OpenReserve();
    if (reserve_ < 0) return false;
    close(reserve_);
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    const bool gone = fd < 0 && errno == EAGAIN;
    if (fd >= 0) Refuse(fd);
    reserve_ = OpenReserve();
    return fd >= 0 || gone;
  }

  // The edge that announced the waiting connections will not come again.
  void RetryAt(MonotonicTime when) {
    retry_.Arm(loop_, when, [](void* self) { static_cast<TcpListener*>(self)->AcceptSome(); }, this);
  }

  Endpoint LocalOf(int fd) const {
    if (!wildcard_) return bound_;
    sockaddr_storage local{};
    socklen_t size = sizeof local;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) != 0) return bound_;
    return ToEndpoint(local);
  }

  Loop& loop_;
  const int fd_;
  int reserve_;
  Endpoint bound_;
  bool wildcard_ = false;
  std::function<void(Accepted)> accepted_;
  std::atomic<uint64_t> refused_{0};
  Timer retry_;
};

absl::Status Failure(const Endpoint& at, const char* what, int error) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", at.address, " port ", at.port, ": ", what, ": ",
                                             std::strerror(error)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(Loop& loop, const Endpoint& at,
                                                         std::function<void(Accepted)> accepted) {
  const std::optional<SocketAddress> address = ToSocketAddress(at);
  if (!address) return absl::InvalidArgumentError(absl::StrCat("\"", at.address, "\" is not an IP address"));
  const int fd = socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Failure(at, "socket", errno);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // accepted sockets inherit it
  if (address->family() == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (bind(fd, address->get(), address->size) != 0 || listen(fd, kListenBacklog) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    const int error = errno;
    close(fd);
    return Failure(at, "bind", error);
  }
  auto listener = std::make_unique<TcpListener>(loop, fd, ToEndpoint(bound), std::move(accepted));
  if (const int error = loop.Watch(fd, listener.get()); error != 0) return Failure(at, "epoll", error);
  return listener;
}

}  // namespace sluice::io
