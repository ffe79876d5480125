#include "data-plane/http/http2_meter.h"

#include <cstring>

#include "nghttp2/nghttp2.h"

namespace sluice::http {
namespace {

constexpr size_t kFrameHead = 9;
constexpr size_t kSmallData = 256;

}  // namespace

uint32_t Http2Meter::length() const {
  return static_cast<uint32_t>(head_[0]) << 16 | static_cast<uint32_t>(head_[1]) << 8 | head_[2];
}

size_t Http2Meter::Wanted() const {
  const size_t length = this->length();
  if (head_[3] == NGHTTP2_WINDOW_UPDATE) return std::min<size_t>(length, 4);
  if (head_[3] == NGHTTP2_DATA && (head_[4] & NGHTTP2_FLAG_PADDED) != 0) return std::min<size_t>(length, 1);
  return 0;
}

size_t Http2Meter::Scan(std::string_view bytes, MonotonicTime now) {
  size_t at = std::min(skip_, bytes.size());
  skip_ -= at;
  size_t frame = at;  // where the one at hand begins, as far as it is in `bytes`
  while (at < bytes.size()) {
    if (payload_left_ > 0) {
      const size_t step = std::min(payload_left_, bytes.size() - at);
      payload_left_ -= step;
      at += step;
      frame = at;
      continue;
    }
    const size_t need = have_ < kFrameHead ? kFrameHead : kFrameHead + Wanted();
    const size_t step = std::min(need - have_, bytes.size() - at);
    std::memcpy(head_.data() + have_, bytes.data() + at, step);
    have_ += step;
    at += step;
    if (have_ < kFrameHead || have_ < kFrameHead + Wanted()) continue;
    if (!Admit(now)) return frame;
    payload_left_ = length() - (have_ - kFrameHead);
    have_ = 0;
    if (payload_left_ == 0) frame = at;
  }
  return bytes.size();
}

// nghttp2 ignores such a frame. Only the latest gap is remembered; streams that were open and are forgotten may still
// have frames on their way.
bool Http2Meter::InOrder() {
  int64_t id = 0;
  for (size_t i = 5; i < kFrameHead; ++i) id = id << 8 | head_[i];
  id &= 0x7fffffff;
  out_of_order_ = id % 2 == 1 && id >= gap_from_ && id < gap_to_;
  if (id > highest_ && id % 2 == 1) {
    gap_from_ = highest_ + 2;
    gap_to_ = id;
    highest_ = id;
  }
  return !out_of_order_;
}

bool Http2Meter::Admit(MonotonicTime now) {
  const unsigned flags = head_[4];
  switch (head_[3]) {
    case NGHTTP2_HEADERS:
      in_block_ = (flags & NGHTTP2_FLAG_END_HEADERS) == 0;
      continuations_ = 0;
      block_bytes_ = length();
      return InOrder();
    case NGHTTP2_CONTINUATION:
      if ((flags & NGHTTP2_FLAG_END_HEADERS) != 0) in_block_ = false;
      block_bytes_ += length();
      return ++continuations_ <= kHttp2MaxContinuations && block_bytes_ <= kHttp2MaxBlockBytes;
    case NGHTTP2_DATA: {
      const size_t padding = (flags & NGHTTP2_FLAG_PADDED) != 0 && length() > 0 ? head_[kFrameHead] + 1u : 0;
      const bool empty = length() <= padding && (flags & NGHTTP2_FLAG_END_STREAM) == 0;
      return !empty || controls_.Take(now);
    }
    case NGHTTP2_WINDOW_UPDATE: {
      uint32_t increment = 0;
      for (size_t i = kFrameHead; i < have_; ++i) increment = increment << 8 | head_[i];
      if ((increment & 0x7fffffff) >= kHttp2SmallUpdate) return true;
      if (increment > 0 && updates_due_ > 0) {
        --updates_due_;
        return true;
      }
      return controls_.Take(now);
    }
    case NGHTTP2_RST_STREAM:
      return resets_.Take(now);
    default:
      return controls_.Take(now);
  }
}

void Http2Meter::NoteDataSent(size_t bytes, bool end) {
  if (bytes < kSmallData && !end) return;
  updates_due_ = std::min(updates_due_ + kHttp2UpdatesPerFrame, kHttp2MaxUpdatesDue);
}

}  // namespace sluice::http
