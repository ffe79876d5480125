#include "data-plane/io/tcp_stream.h"

#include <errno.h>
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

IoResult TcpStream::TryRead(std::span<char> out) {
  SLUICE_CHECK(!out.empty());
  if (cancelled_) return {0, IoError::kCancelled};
  if (!watched_) return {0, IoError::kReset};
  if (!readable_) return {0, IoError::kWouldBlock};
  for (;;) {
    const ssize_t count = recv(fd_, out.data(), out.size(), 0);
    if (count > 0) {
      const size_t bytes = static_cast<size_t>(count);
      if (bytes < out.size() && !hung_up_) readable_ = false;
      bulk_ = bytes >= kBulkRead || bytes == out.size();
      return {bytes, IoError::kNone};
    }
    if (count == 0) return {0, IoError::kEnd};
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return {0, IoError::kReset};
    readable_ = false;
    return {0, IoError::kWouldBlock};
  }
}

IoResult TcpStream::TryWrite(std::string_view data) {
  if (cancelled_) return {0, IoError::kCancelled};
  if (!watched_) return {0, IoError::kReset};
  if (!writable_) return {0, IoError::kWouldBlock};
  for (;;) {
    const ssize_t count = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      const size_t bytes = static_cast<size_t>(count);
      if (bytes < data.size()) writable_ = false;
      return {bytes, IoError::kNone};
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return {0, IoError::kReset};
    writable_ = false;
    return {0, IoError::kWouldBlock};
  }
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
