#include "data-plane/io/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "common/base/descriptors.h"
#include "data-plane/io/tcp_stream.h"

namespace sluice::io {

PipePool::~PipePool() {
  for (const Ends ends : idle_) Close(ends);
}

PipePool::Ends PipePool::Take() {
  if (!idle_.empty()) {
    const Ends ends = idle_.back();
    idle_.pop_back();
    return ends;
  }
  if (open_ >= max_) return {};
  const Ends ends = Open();
  if (ends.read >= 0) ++open_;
  return ends;
}

void PipePool::Give(Ends ends, bool empty) {
  if (empty && idle_.size() < kMaxIdlePipes) {
    idle_.push_back(ends);
    return;
  }
  Close(ends);
  --open_;
}

// One of another size is of no use: beyond the user's quota (pipe-user-pages-soft) the kernel gives a page or two,
// which costs more calls than copying.
PipePool::Ends PipePool::Open() {
  int ends[2];
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return {};
  const Ends opened{.read = ends[0], .write = ends[1]};
  const bool reserved = IsReservedDescriptor(opened.read) || IsReservedDescriptor(opened.write);
  if (!reserved && fcntl(opened.write, F_SETPIPE_SZ, static_cast<int>(kPipeBytes)) >= static_cast<int>(kPipeBytes)) {
    return opened;
  }
  Close(opened);
  return {};
}

void PipePool::Close(Ends ends) {
  close(ends.read);
  close(ends.write);
}

bool Piped::Ready(Stream& from) {
  SLUICE_CHECK(empty());
  if (from.Plain() == nullptr) return false;
  if (ends_.read < 0) ends_ = pool_.Take();
  return ends_.read >= 0;
}

IoResult Piped::TryFill(Stream& from, size_t max) {
  const IoResult got = from.Plain()->TryFill(ends_.write, std::min(max, kPipeBytes));
  bytes_ = got.bytes;
  if (empty()) GiveBack();
  return got;
}

IoResult Piped::TryDrain(Stream& to) {
  const IoResult sent = to.Plain()->TryDrain(ends_.read, bytes_);
  bytes_ -= sent.bytes;
  if (empty()) GiveBack();
  return sent;
}

void Piped::GiveBack() {
  if (ends_.read >= 0) pool_.Give(std::exchange(ends_, {}), empty());
  bytes_ = 0;
}

Task<IoResult> WriteAll(Stream& to, Piped& piped, Duration stall) {
  size_t written = 0;
  while (!piped.empty()) {
    const IoResult result = piped.TryDrain(to);
    written += result.bytes;
    if (result.error == IoError::kWouldBlock) {
      const IoError error = co_await to.Writable(to.loop().Now() + stall);
      if (error != IoError::kNone) co_return IoResult{written, error};
    } else if (result.error != IoError::kNone) {
      co_return IoResult{written, result.error};
    }
  }
  co_return IoResult{written, IoError::kNone};
}

}  // namespace sluice::io
