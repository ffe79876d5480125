#include "data-plane/io/tcp_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::io {

TcpStream::TcpStream(Loop& loop, int fd, Phase phase)
    : loop_(loop), fd_(fd), watched_(loop.Watch(fd, this) == 0), writable_(phase == Phase::kConnected) {
  if (!watched_) {  // no events will come: let every attempt ask the kernel, and the first wait end at once
    hung_up_ = readable_ = writable_ = true;
  }
}

TcpStream::~TcpStream() {
  if (watched_) loop_.Unwatch(fd_, this);
  close(fd_);
}

// What `call` moved, in one direction. `ready` is that direction's flag.
template <typename Call>
IoResult TcpStream::Attempt(bool& ready, Call call) {
  if (cancelled_) return {0, IoError::kCancelled};
  if (!watched_) return {0, IoError::kReset};
  if (!ready) return {0, IoError::kWouldBlock};
  for (;;) {
    const ssize_t count = call();
    if (count >= 0) return {static_cast<size_t>(count), IoError::kNone};
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return {0, IoError::kReset};
    ready = false;
    return {0, IoError::kWouldBlock};
  }
}

IoResult TcpStream::TryRead(std::span<char> out) {
  SLUICE_CHECK(!out.empty());
  const IoResult got = Attempt(readable_, [&] { return recv(fd_, out.data(), out.size(), 0); });
  if (!got.ok()) return got;
  if (got.bytes == 0) return {0, IoError::kEnd};
  if (got.bytes < out.size() && !hung_up_) readable_ = false;
  bulk_ = got.bytes >= kBulkRead || got.bytes == out.size();
  return got;
}

IoResult TcpStream::TryWrite(std::string_view data) {
  const IoResult sent = Attempt(writable_, [&] { return send(fd_, data.data(), data.size(), MSG_NOSIGNAL); });
  if (sent.ok() && sent.bytes < data.size()) writable_ = false;
  return sent;
}

// A short splice says nothing of readiness: the pipe may have had no place for more pieces.
IoResult TcpStream::TryFill(int pipe, size_t max) {
  SLUICE_CHECK(max > 0);
  const IoResult got = Attempt(
      readable_, [&] { return splice(fd_, nullptr, pipe, nullptr, max, SPLICE_F_MOVE | SPLICE_F_NONBLOCK); });
  if (!got.ok()) return got;
  if (got.bytes == 0) return {0, IoError::kEnd};
  bulk_ = got.bytes >= kBulkRead;
  return got;
}

IoResult TcpStream::TryDrain(int pipe, size_t bytes) {
  return Attempt(writable_,
                 [&] { return splice(pipe, nullptr, fd_, nullptr, bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK); });
}

void TcpStream::ShutdownWrite() { shutdown(fd_, SHUT_WR); }

void TcpStream::ResetOnClose() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

bool TcpStream::IsStale() {
  if (cancelled_ || hung_up_) return true;
  if (!readable_) return false;
  char byte;
  const ssize_t count = recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (count >= 0 || (errno != EAGAIN && errno != EINTR)) return true;
  readable_ = false;
  return false;
}

void TcpStream::OnEvents(uint32_t epoll_events) {
  if (epoll_events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) hung_up_ = true;
  if (epoll_events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
    readable_ = true;
    WakeReader(IoError::kNone);
  }
  if (epoll_events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
    writable_ = true;
    WakeWriter(IoError::kNone);
  }
}

std::unique_ptr<Stream> MakeTcpStream(Loop& loop, int fd) {
  return std::make_unique<TcpStream>(loop, fd, TcpStream::Phase::kConnected);
}

}  // namespace sluice::io
