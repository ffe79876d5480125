#pragma once

// HTTP/2 frames (RFC 9113) as hostile clients send them, without a library that would refuse to. Pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::attack {

enum FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kWindowUpdate = 8,
  kContinuation = 9,
};
inline constexpr uint8_t kEndStream = 1, kEndHeaders = 4;

std::string Frame(FrameType type, uint8_t flags, uint32_t stream, std::string_view payload);
// The preface and empty SETTINGS.
std::string Preface();
// GET / of that host, without a dynamic table entry (RFC 7541 section 6.2.2).
std::string RequestFields(std::string_view host);
std::string Number32(uint32_t number);

}  // namespace sluice::attack
