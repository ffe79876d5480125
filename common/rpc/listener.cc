#include "common/rpc/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/descriptors.h"

namespace sluice::rpc {
namespace {

constexpr int kRetryMs = 50;  // until descriptors are looked for again
constexpr auto kSweepInterval = std::chrono::milliseconds(100);

int OpenReserve() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

struct HostAndPort {
  std::string host;
  std::string port;
};

absl::StatusOr<HostAndPort> Split(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", address, "\" is not host:port"));
  }
  HostAndPort parts{address.substr(0, colon), address.substr(colon + 1)};
  if (parts.host.size() > 1 && parts.host.front() == '[' && parts.host.back() == ']') {
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  }
  return parts;
}

absl::StatusOr<int> Bind(const std::string& address, const addrinfo& target) {
  const int socket = ::socket(target.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (socket >= 0) setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (socket < 0 || bind(socket, target.ai_addr, target.ai_addrlen) != 0 || listen(socket, kBacklog) != 0) {
    const int error = errno;
    if (socket >= 0) close(socket);
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": ", std::strerror(error)));
  }
  return socket;
}

absl::StatusOr<int> Listen(const std::string& address) {
  auto parts = Split(address);
  if (!parts.ok()) return parts.status();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const char* host = parts->host.empty() ? nullptr : parts->host.c_str();
  const int error = getaddrinfo(host, parts->port.c_str(), &hints, &found);
  if (error != 0) {
    return absl::InvalidArgumentError(absl::StrCat("cannot listen on ", address, ": ", gai_strerror(error)));
  }
  auto socket = Bind(address, *found);
  freeaddrinfo(found);
  return socket;
}

uint16_t PortOf(int socket) {
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  SLUICE_CHECK(getsockname(socket, reinterpret_cast<sockaddr*>(&local), &size) == 0);
  return ntohs(local.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(local).sin6_port
                                           : reinterpret_cast<sockaddr_in&>(local).sin_port);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(const std::string& address, int max_connections) {
  auto socket = Listen(address);
  if (!socket.ok()) return socket.status();
  std::unique_ptr<Listener> listener(new Listener(*socket, PortOf(*socket), max_connections));
  if (listener->wake_ < 0 || listener->reserve_ < 0) {
    return absl::ResourceExhaustedError(absl::StrCat("no descriptors left to listen on ", address));
  }
  return listener;
}

Listener::Listener(int socket, uint16_t port, int max_connections)
    : socket_(socket),
      port_(port),
      max_connections_(static_cast<size_t>(max_connections)),
      reserve_(OpenReserve()),
      wake_(eventfd(0, EFD_CLOEXEC)) {}

void Listener::Start(std::function<void(int, int)> take) {
  SLUICE_CHECK(!thread_.joinable());
  take_ = std::move(take);
  thread_ = std::thread([this] { Run(); });
}

Listener::~Listener() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    SLUICE_CHECK(write(wake_, &one, sizeof one) == sizeof one);
    thread_.join();
  }
  for (int descriptor : {socket_, reserve_, wake_}) {
    if (descriptor >= 0) close(descriptor);
  }
}

void Listener::Run() {
  while (true) {
    pollfd events[] = {{wake_, POLLIN, 0}, {socket_, POLLIN, 0}};
    // Without a reserve descriptor there is nothing to refuse with: wait for one rather than spin on a ready socket.
    if (reserve_ < 0) reserve_ = OpenReserve();
    const nfds_t count = reserve_ < 0 ? 1 : 2;
    const int ready = poll(events, count, count == 1 ? kRetryMs : -1);
    if (ready < 0 && errno != EINTR) SLUICE_CHECK(errno == ENOMEM);
    if (ready <= 0) continue;
    if (events[0].revents != 0) return;
    while (AcceptOne()) {
    }
  }
}

bool Listener::AcceptOne() {
  const int connection = accept4(socket_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (connection >= 0) {
    if (HasRoom(connection)) {
      take_(socket_, connection);
    } else {
      Refuse(connection);
    }
    return true;
  }
  switch (errno) {
    case EMFILE:
    case ENFILE:
      ShedWithReserve();
      return reserve_ >= 0;
    case ENOBUFS:
    case ENOMEM: {
      pollfd wake{wake_, POLLIN, 0};
      poll(&wake, 1, kRetryMs);
      return false;
    }
    case EAGAIN:
      return false;
    default:
      return true;  // the connection broke before it was accepted; the next may not have
  }
}

bool Listener::HasRoom(int connection) {
  if (IsReservedDescriptor(connection)) return false;
  if (handed_.size() >= max_connections_) ForgetClosed();
  if (handed_.size() >= max_connections_) return false;
  struct stat status {};
  if (fstat(connection, &status) != 0) return false;
  const int on = 1;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  handed_.push_back({connection, status.st_ino});
  return true;
}

void Listener::Refuse(int connection) {
  refused_.fetch_add(1, std::memory_order_relaxed);  // first: whoever sees it closed sees it counted
  close(connection);
}

void Listener::ShedWithReserve() {
  close(reserve_);
  reserve_ = -1;
  const int connection = accept4(socket_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (connection >= 0) Refuse(connection);
  reserve_ = OpenReserve();
}

// At most once an interval, so that a storm of connections over the cap costs next to nothing.
void Listener::ForgetClosed() {
  const MonotonicTime now = std::chrono::steady_clock::now();
  if (now - swept_ < kSweepInterval) return;
  swept_ = now;
  std::erase_if(handed_, [](const Handed& handed) {
    struct stat status {};
    return fstat(handed.descriptor, &status) != 0 || status.st_ino != handed.inode;
  });
}

}  // namespace sluice::rpc
