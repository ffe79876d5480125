#pragma once

// HTTP/2 frames as literal bytes, and what a test must know of those that come back. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test::h2 {

using namespace std::string_literals;

enum Type : uint8_t {
  kData,
  kHeaders,
  kPriority,
  kReset,
  kSettings,
  kPushPromise,
  kPing,
  kGoAway,
  kWindowUpdate,
  kContinuation,
};
inline constexpr uint8_t kEndStream = 1;
inline constexpr uint8_t kAck = 1;
inline constexpr uint8_t kEndHeaders = 4;
inline constexpr uint8_t kPadded = 8;

inline std::string Number(uint32_t value, int bytes = 4) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

inline std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload = "") {
  std::string out = Number(static_cast<uint32_t>(payload.size()), 3);
  out.push_back(static_cast<char>(type));
  out.push_back(static_cast<char>(flags));
  return out + Number(stream) + std::string(payload);
}

// One field, literal, not indexed, not compressed (RFC 7541 section 6.2.2).
inline std::string Field(std::string_view name, std::string_view value) {
  const auto text = [](std::string_view s) {
    if (s.size() < 127) return std::string(1, static_cast<char>(s.size())) + std::string(s);
    std::string size = "\x7f";
    size_t rest = s.size() - 127;
    for (; rest >= 128; rest /= 128) size.push_back(static_cast<char>(rest % 128 + 128));
    size.push_back(static_cast<char>(rest));
    return size + std::string(s);
  };
  return "\0"s + text(name) + text(value);
}

inline const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, 0, 0);
// :method GET, :scheme http, :path /, :authority a.test
inline const std::string kGet = "\x82\x86\x84\x01\x06"s + "a.test";
inline const std::string kPost = "\x83\x86\x84\x01\x06"s + "a.test";

inline std::string Get(uint32_t stream, std::string_view more = "") {
  return Frame(kHeaders, kEndStream | kEndHeaders, stream, kGet + std::string(more));
}
inline std::string Post(uint32_t stream, std::string_view more = "") {
  return Frame(kHeaders, kEndHeaders, stream, kPost + std::string(more));
}

struct Received {
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t stream = 0;
  std::string payload;
  uint32_t number(size_t at = 0) const {
    uint32_t value = 0;
    for (size_t i = at; i < at + 4 && i < payload.size(); ++i) value = value << 8 | static_cast<uint8_t>(payload[i]);
    return value;
  }
};

// Takes the whole frames off the front of `bytes`.
inline std::vector<Received> TakeFrames(std::string& bytes) {
  std::vector<Received> frames;
  while (bytes.size() >= 9) {
    const auto at = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
    const size_t length = at(0) << 16 | at(1) << 8 | at(2);
    if (bytes.size() < 9 + length) break;
    const uint32_t stream = at(5) << 24 | at(6) << 16 | at(7) << 8 | at(8);
    frames.push_back({static_cast<uint8_t>(at(3)), static_cast<uint8_t>(at(4)), stream, bytes.substr(9, length)});
    bytes.erase(0, 9 + length);
  }
  return frames;
}

}  // namespace sluice::test::h2
