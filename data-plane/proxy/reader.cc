#include "data-plane/proxy/reader.h"

namespace sluice::proxy {

bool Reader::InHeld() const {
  return pending_.data() >= held_.data() && pending_.data() < held_.data() + held_.size();
}

void Reader::Hold() {
  if (pending_.empty() || InHeld()) return;
  held_.assign(pending_);
  pending_ = held_;
}

void Reader::Compact() {
  if (pending_.empty()) {
    held_ = std::string();
    pending_ = {};
    return;
  }
  if (InHeld()) {
    held_.erase(0, pending_.data() - held_.data());
  } else {
    held_.assign(pending_);
  }
  pending_ = held_;
}

io::Task<io::IoError> Reader::Fill(MonotonicTime deadline) {
  Compact();
  for (;;) {
    const io::IoError waited = co_await stream_->Readable(deadline);
    if (waited != io::IoError::kNone) co_return waited;
    const io::IoError error = Take();
    if (error != io::IoError::kWouldBlock) co_return error;
  }
}

io::Task<io::IoError> Reader::Fill(MonotonicTime deadline, io::Piped& piped, size_t max) {
  SLUICE_CHECK(pending_.empty());
  Compact();
  for (;;) {
    const io::IoError waited = co_await stream_->Readable(deadline);
    if (waited != io::IoError::kNone) co_return waited;
    io::IoError error;
    if (piped.Ready(*stream_)) {
      const io::IoResult got = piped.TryFill(*stream_, max);
      received_ += got.bytes;
      error = got.error;
    } else {
      error = Take();
    }
    if (error != io::IoError::kWouldBlock) co_return error;
  }
}

io::IoError Reader::TryFill() {
  Compact();
  const io::IoError error = Take();
  Hold();
  return error;
}

io::IoError Reader::Take() {
  const io::IoResult got = stream_->TryRead(scratch_);
  if (!got.ok()) return got.error;
  if (got.bytes == 0) return io::IoError::kEnd;
  received_ += got.bytes;
  const std::string_view fresh(scratch_.data(), got.bytes);
  if (pending_.empty()) {
    pending_ = fresh;
  } else {
    held_.append(fresh);
    pending_ = held_;
  }
  return io::IoError::kNone;
}

}  // namespace sluice::proxy
