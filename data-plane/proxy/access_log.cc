#include "data-plane/proxy/access_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/observe/log.h"
#include "data-plane/proxy/text.h"

namespace sluice::proxy {

bool LogRing::Push(std::string_view line) {
  const uint64_t head = head_.load(std::memory_order_relaxed);
  if (line.size() > size_ - (head - tail_.load(std::memory_order_acquire))) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  const size_t at = head % size_;
  const size_t first = std::min(line.size(), size_ - at);
  std::memcpy(bytes_.get() + at, line.data(), first);
  std::memcpy(bytes_.get(), line.data() + first, line.size() - first);
  head_.store(head + line.size(), std::memory_order_release);
  return true;
}

std::string_view LogRing::Front() const {
  const uint64_t tail = tail_.load(std::memory_order_relaxed);
  const uint64_t there = head_.load(std::memory_order_acquire) - tail;
  const size_t at = tail % size_;
  return {bytes_.get() + at, std::min<size_t>(there, size_ - at)};
}

absl::StatusOr<std::unique_ptr<AccessLog>> AccessLog::Open(const std::string& path, int workers) {
  int fd = -1;
  if (path == "-") {
    fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  } else if (!path.empty() && path != "off") {
    fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0) return absl::InvalidArgumentError(text::Cat("access log ", path, ": ", strerror(errno)));
  }
  return std::unique_ptr<AccessLog>(new AccessLog(fd, workers));
}

AccessLog::AccessLog(int fd, int workers) : fd_(fd) {
  if (fd_ < 0) return;
  for (int i = 0; i < workers; ++i) rings_.push_back(std::make_unique<LogRing>(kAccessLogRingBytes));
  writer_ = std::thread([this] { Write(); });
}

AccessLog::~AccessLog() {
  if (fd_ < 0) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_one();
  writer_.join();
  close(fd_);
}

uint64_t AccessLog::dropped() const {
  uint64_t sum = lost_.load(std::memory_order_relaxed);
  for (const auto& ring : rings_) sum += ring->dropped();
  return sum;
}

void AccessLog::Write() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const bool stopping = stop_.wait_for(lock, kAccessLogInterval, [&] { return stopping_; });
    lock.unlock();
    while (WriteOnce()) {
    }
    lock.lock();
    if (stopping) return;
  }
}

bool AccessLog::WriteOnce() {
  bool wrote = false;
  for (const auto& ring : rings_) {
    std::string_view piece = ring->Front();
    if (piece.empty()) continue;
    wrote = true;
    const ssize_t taken = write(fd_, piece.data(), piece.size());
    if (taken > 0) {
      ring->Pop(taken);
    } else if (taken < 0 && errno != EINTR && errno != EAGAIN) {
      lost_.fetch_add(std::count(piece.begin(), piece.end(), '\n'), std::memory_order_relaxed);
      ring->Pop(piece.size());
    } else if (errno == EAGAIN) {
      return false;
    }
  }
  return wrote;
}

}  // namespace sluice::proxy
