#pragma once

// What an HTTP/2 peer may make us do for next to nothing: resets, control frames, long header blocks, counted on the
// frames themselves before the protocol library sees them, so that nothing it ignores escapes the count. Pure; belongs
// to one session, its thread only.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/clock.h"

namespace sluice::http {

inline constexpr int kHttp2ResetBurst = 200;  // received, and sent because of what the peer did
inline constexpr int kHttp2ResetsPerSecond = 33;
inline constexpr int kHttp2ControlBurst = 1'000;
inline constexpr int kHttp2ControlsPerSecond = 100;
inline constexpr int kHttp2MaxContinuations = 8;          // of one header block
inline constexpr size_t kHttp2MaxBlockBytes = 32 * 1024;  // of one header block, compressed
inline constexpr uint32_t kHttp2SmallUpdate = 1'024;      // a WINDOW_UPDATE below it counts as a control frame,
inline constexpr int kHttp2UpdatesPerFrame = 2;           // unless it answers a DATA frame of ours
inline constexpr int kHttp2MaxUpdatesDue = 1'000;

// A token bucket: `burst` at once, `per_second` in the long run.
class Http2Budget {
 public:
  Http2Budget(int burst, int per_second) : burst_(burst), per_second_(per_second), left_(burst) {}
  // False where it is spent.
  bool Take(MonotonicTime now) {
    const double seconds = std::chrono::duration<double>(now - filled_).count();
    filled_ = now;
    left_ = std::min<double>(burst_, left_ + std::max(seconds, 0.0) * per_second_) - 1;
    return left_ >= 0;
  }

 private:
  double burst_;
  double per_second_;
  double left_;
  MonotonicTime filled_{};
};

class Http2Meter {
 public:
  // `skip`: bytes before the first frame (a client's preface).
  explicit Http2Meter(size_t skip) : skip_(skip) {}

  // How many of the bytes may be worked on: all, or those before the frame that was one too many.
  size_t Scan(std::string_view bytes, MonotonicTime now);
  // We have sent a RST_STREAM that the peer's frames caused. False where that was one too many.
  bool TakeReset(MonotonicTime now) { return resets_.Take(now); }
  // We have sent a DATA frame, which a peer may well answer with an update of the stream's and the connection's window.
  void NoteDataSent(size_t bytes, bool end);

  // The frame that Scan stopped at opens a stream that an earlier one has passed over (RFC 9113 section 5.1.1).
  bool out_of_order() const { return out_of_order_; }
  bool in_header_block() const { return in_block_; }

 private:
  size_t Wanted() const;  // bytes of the payload that decide what the frame is
  bool Admit(MonotonicTime now);
  bool InOrder();
  uint32_t length() const;

  size_t skip_;
  std::array<unsigned char, 13> head_{};  // of the frame at hand, with the beginning of its payload
  size_t have_ = 0;
  size_t payload_left_ = 0;
  int64_t highest_ = -1;  // stream that a HEADERS frame has named
  int64_t gap_from_ = 0;  // streams that the last one has passed over
  int64_t gap_to_ = 0;
  bool out_of_order_ = false;
  bool in_block_ = false;
  int continuations_ = 0;
  size_t block_bytes_ = 0;
  int updates_due_ = 0;
  Http2Budget resets_{kHttp2ResetBurst, kHttp2ResetsPerSecond};
  Http2Budget controls_{kHttp2ControlBurst, kHttp2ControlsPerSecond};
};

}  // namespace sluice::http
