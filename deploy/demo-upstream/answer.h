#pragma once

// What the demo upstream answers, by path. Pure: a plan of the answer, which the connection then carries out.

#include <chrono>
#include <cstdint>
#include <string>

#include "data-plane/http/head.h"

namespace sluice::demo {

inline constexpr uint64_t kMaxBytes = 100 * 1024 * 1024;  // /bytes/N
inline constexpr uint64_t kMaxLines = 100'000;            // /stream/N
inline constexpr uint64_t kMaxDrip = 10'000;              // bytes of /drip
inline constexpr double kMaxSeconds = 30;                 // /delay/S and /drip

struct Answer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;                    // where nothing below says otherwise
  std::chrono::milliseconds delay{0};  // before the first byte
  uint64_t filler = 0;                 // bytes of /bytes, sent in pieces
  uint64_t lines = 0;                  // of /stream, a chunk each
  uint64_t drip = 0;                   // bytes of /drip, one at a time
  std::chrono::milliseconds drip_pause{0};
};

// `body_bytes`: of the request's body, which has been read and dropped.
Answer AnswerTo(const http::RequestHead& request, uint64_t body_bytes, const std::string& origin);

}  // namespace sluice::demo
