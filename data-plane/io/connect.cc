#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "data-plane/io/address.h"
#include "data-plane/io/tcp_stream.h"

namespace sluice::io {
namespace {

Connected Refused(int system_error) {
  return {.stream = nullptr, .error = IoError::kReset, .system_error = system_error};
}

}  // namespace

Task<Connected> ConnectTcp(Loop& loop, const Endpoint& to, MonotonicTime deadline, Cancellation* cancellation) {
  const std::optional<SocketAddress> address = ToSocketAddress(to);
  if (!address) co_return Refused(EINVAL);
  const int fd = socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return Refused(errno);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd, address->get(), address->size) != 0 && errno != EINPROGRESS) {
    const int error = errno;
    close(fd);
    co_return Refused(error);
  }
  auto stream = std::make_unique<TcpStream>(loop, fd, TcpStream::Phase::kConnecting);
  const Cancellation::Scope scope(cancellation, [waits = stream.get()] { waits->Cancel(); });
  const IoError error = co_await stream->Writable(deadline);
  if (error != IoError::kNone) {
    Connected failed{.stream = nullptr, .error = error, .system_error = ETIMEDOUT};
    co_return failed;
  }
  int cause = 0;
  socklen_t size = sizeof cause;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &cause, &size);
  if (cause != 0) co_return Refused(cause);
  Connected done{.stream = std::move(stream), .error = IoError::kNone, .system_error = 0};
  co_return done;
}

}  // namespace sluice::io
