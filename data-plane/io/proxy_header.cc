#include "data-plane/io/proxy_header.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "data-plane/io/address.h"

namespace sluice::io {
namespace {

using Step = ProxyHeaderStep;
using State = Step::State;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);  // of version 2
constexpr std::string_view kLineStart = "PROXY ";                   // of version 1
constexpr std::string_view kUnknown = "PROXY UNKNOWN";
constexpr size_t kFixedBytes = 16;  // of version 2: signature, version and command, family, length
constexpr int kLineSpaces = 5;      // "PROXY TCP4 source destination port port"
constexpr uint8_t kCrc32cType = 0x03;

bool ParsePort(std::string_view text, uint16_t& port) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return false;
  int value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  port = static_cast<uint16_t>(value);
  return value <= 65535;
}

bool ParseAddress(std::string_view text, bool v6, std::string& address) {
  if ((text.find(':') != std::string_view::npos) != v6) return false;
  address = CanonicalAddress(text);
  return !address.empty();
}

// What a valid line that begins with `line` still has at least.
size_t LeastLeft(std::string_view line) {
  if (line.size() < kUnknown.size() && kUnknown.starts_with(line)) return kUnknown.size() - line.size() + 2;
  const size_t line_end = line.ends_with('\r') ? 1 : 2;
  if (line.starts_with(kUnknown)) return line_end;
  const auto spaces = static_cast<int>(std::count(line.begin(), line.end(), ' '));
  const size_t words = static_cast<size_t>(std::max(0, kLineSpaces - spaces));
  return line_end + 2 * words + (line.ends_with(' ') ? 1 : 0);
}

bool ParseLine(std::string_view line, ProxyHeader& header) {
  if (line == kUnknown || (line.starts_with(kUnknown) && line[kUnknown.size()] == ' ')) return true;
  std::array<std::string_view, kLineSpaces + 1> words;
  for (size_t i = 0; i < words.size(); ++i) {
    const size_t end = line.find(' ');
    const bool last = i + 1 == words.size();
    if ((end == std::string_view::npos) != last) return false;
    words[i] = line.substr(0, end);
    if (!last) line.remove_prefix(end + 1);
  }
  const bool v6 = words[1] == "TCP6";
  if (!v6 && words[1] != "TCP4") return false;
  header.has_addresses = true;
  return ParseAddress(words[2], v6, header.source.address) && ParseAddress(words[3], v6, header.destination.address) &&
         ParsePort(words[4], header.source.port) && ParsePort(words[5], header.destination.port);
}

Step ParseVersion1(std::string_view bytes, ProxyHeader& header) {
  if (!bytes.starts_with(kLineStart)) return {State::kMalformed};
  const size_t end = bytes.substr(0, kMaxProxyLineBytes).find("\r\n");
  if (end != std::string_view::npos) {
    if (!ParseLine(bytes.substr(0, end), header)) return {State::kMalformed};
    return {State::kComplete, end + 2};
  }
  const size_t left = LeastLeft(bytes);
  if (bytes.size() + left > kMaxProxyLineBytes) return {State::kMalformed};
  return {State::kMore, left};
}

uint16_t BigEndian16(std::string_view bytes) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[0]) << 8 | static_cast<uint8_t>(bytes[1]));
}

uint32_t BigEndian32(std::string_view bytes) {
  return static_cast<uint32_t>(BigEndian16(bytes)) << 16 | BigEndian16(bytes.substr(2));
}

// Castagnoli's polynomial, reflected. A header is short and rare: no table.
uint32_t Crc32c(std::string_view bytes, size_t zeros_at) {
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const bool zero = i >= zeros_at && i < zeros_at + 4;
    crc ^= zero ? 0 : static_cast<uint8_t>(bytes[i]);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
  }
  return ~crc;
}

// What follows the addresses: type, length and value, to the last byte.
bool CheckTlvs(std::string_view header, size_t at) {
  bool summed = false;
  while (at < header.size()) {
    if (header.size() - at < 3) return false;
    const uint8_t type = static_cast<uint8_t>(header[at]);
    const size_t length = BigEndian16(header.substr(at + 1));
    at += 3;
    if (header.size() - at < length) return false;
    if (type == kCrc32cType) {
      if (summed || length != 4 || Crc32c(header, at) != BigEndian32(header.substr(at))) return false;
      summed = true;
    }
    at += length;
  }
  return true;
}

Endpoint EndpointAt(std::string_view address, bool v6, std::string_view port) {
  sockaddr_storage storage{};
  if (v6) {
    auto& to = reinterpret_cast<sockaddr_in6&>(storage);
    to.sin6_family = AF_INET6;
    std::memcpy(&to.sin6_addr, address.data(), sizeof to.sin6_addr);
    std::memcpy(&to.sin6_port, port.data(), 2);
  } else {
    auto& to = reinterpret_cast<sockaddr_in&>(storage);
    to.sin_family = AF_INET;
    std::memcpy(&to.sin_addr, address.data(), sizeof to.sin_addr);
    std::memcpy(&to.sin_port, port.data(), 2);
  }
  return ToEndpoint(storage);
}

// Addresses and TLVs of a command that is not LOCAL.
bool ParseProxied(std::string_view whole, ProxyHeader& header) {
  constexpr uint8_t kUnspecified = 0x00, kTcp4 = 0x11, kTcp6 = 0x21, kUnixStream = 0x31;
  constexpr size_t kUnixBytes = 216;
  const uint8_t family = static_cast<uint8_t>(whole[13]);
  if (family == kUnspecified) return true;
  if (family != kTcp4 && family != kTcp6 && family != kUnixStream) return false;  // datagrams are no connections
  const bool v6 = family == kTcp6;
  const size_t address = v6 ? 16 : 4;
  const size_t addresses = family == kUnixStream ? kUnixBytes : 2 * address + 4;
  if (whole.size() < kFixedBytes + addresses) return false;
  if (family != kUnixStream) {
    const std::string_view block = whole.substr(kFixedBytes, addresses);
    header.has_addresses = true;
    header.source = EndpointAt(block, v6, block.substr(2 * address));
    header.destination = EndpointAt(block.substr(address), v6, block.substr(2 * address + 2));
  }
  return CheckTlvs(whole, kFixedBytes + addresses);
}

Step ParseVersion2(std::string_view bytes, ProxyHeader& header) {
  if (bytes.size() < kFixedBytes) return {State::kMore, kFixedBytes - bytes.size()};
  constexpr uint8_t kLocal = 0x20, kProxy = 0x21;
  const uint8_t command = static_cast<uint8_t>(bytes[12]);
  const size_t size = kFixedBytes + BigEndian16(bytes.substr(14));
  if ((command != kLocal && command != kProxy) || size > kMaxProxyHeaderBytes) return {State::kMalformed};
  if (bytes.size() < size) return {State::kMore, size - bytes.size()};
  if (command == kProxy && !ParseProxied(bytes.substr(0, size), header)) return {State::kMalformed};
  return {State::kComplete, size};
}

}  // namespace

ProxyHeaderStep ParseProxyHeader(std::string_view bytes, ProxyHeader& header) {
  header = {};
  const std::string_view start = bytes.substr(0, kSignature.size());
  if (!kSignature.starts_with(start) && !start.starts_with(kLineStart) && !kLineStart.starts_with(start)) {
    return {State::kMalformed};
  }
  if (start.size() < kSignature.size()) return {State::kMore, kSignature.size() - start.size()};
  return start == kSignature ? ParseVersion2(bytes, header) : ParseVersion1(bytes, header);
}

Task<bool> ReadProxyHeader(Stream& stream, MonotonicTime deadline, ProxyHeader& header) {
  std::array<char, kMaxProxyHeaderBytes> bytes;
  size_t have = 0;
  for (;;) {
    const ProxyHeaderStep step = ParseProxyHeader({bytes.data(), have}, header);
    if (step.state != State::kMore) co_return step.state == State::kComplete;
    const IoResult got = co_await ReadSome(stream, {bytes.data() + have, step.bytes}, deadline);
    if (!got.ok() || got.bytes == 0) co_return false;
    have += got.bytes;
  }
}

}  // namespace sluice::io
