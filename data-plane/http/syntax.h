#pragma once

// Byte classes of HTTP's grammar as one table, and the scans that the parser, the decoder and the writer share. Private
// to this folder. Pure.

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice::http::syntax {

enum Class : uint8_t {
  kToken = 1,   // RFC 9110 tchar
  kTarget = 2,  // a byte of a request target: visible ASCII but '#'
  kPath = 4,    // RFC 3986 pchar without '%', and '/'
  kUnreserved = 8,
  kHost = 16,  // letters, digits, '-', '.', '_'
  kDigit = 32,
  kHex = 64,
  kControl = 128,  // has no place in a field value: CTL but HTAB
};

constexpr std::array<uint8_t, 256> MakeTable() {
  std::array<uint8_t, 256> table{};
  for (int c = 0; c < 256; ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const auto in = [c](const char* set) {
      for (; *set != '\0'; ++set) {
        if (*set == c) return true;
      }
      return false;
    };
    unsigned bits = 0;
    if (digit || alpha || in("!#$%&'*+-.^_`|~")) bits |= kToken;
    if (c > 0x20 && c < 0x7f && c != '#') bits |= kTarget;
    if (digit || alpha || in("-._~!$&'()*+,;=:@/")) bits |= kPath;
    if (digit || alpha || in("-._~")) bits |= kUnreserved;
    if (digit || alpha || in("-._")) bits |= kHost;
    if (digit) bits |= kDigit;
    if (digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) bits |= kHex;
    if ((c < 0x20 && c != '\t') || c == 0x7f) bits |= kControl;
    table[static_cast<size_t>(c)] = static_cast<uint8_t>(bits);
  }
  return table;
}
inline constexpr std::array<uint8_t, 256> kTable = MakeTable();

inline bool Is(char c, uint8_t classes) { return (kTable[static_cast<unsigned char>(c)] & classes) != 0; }
inline char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
inline int HexValue(char c) { return Is(c, kDigit) ? c - '0' : Lower(c) - 'a' + 10; }

// `lower` is lower case with dashes; underscores in `name` count as dashes, as they do where servers make variables of
// names.
inline bool IsAliasOf(std::string_view name, std::string_view lower) {
  if (name.size() != lower.size()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    if ((name[i] == '_' ? '-' : Lower(name[i])) != lower[i]) return false;
  }
  return true;
}

// Whether every byte is of one class.
inline bool AllOf(std::string_view text, uint8_t of) {
  uint8_t common = of;
  for (char c : text) common &= kTable[static_cast<unsigned char>(c)];
  return common != 0;
}

// How many control bytes (HTAB excepted) are in the text. Sixteen bytes a step.
inline size_t CountControls(std::string_view text) {
  using Bytes = uint8_t __attribute__((vector_size(16)));
  constexpr size_t kSteps = 255;  // that a byte can count
  size_t count = 0;
  while (text.size() >= sizeof(Bytes)) {
    Bytes counts{};
    for (size_t step = 0; step < kSteps && text.size() >= sizeof(Bytes); ++step) {
      Bytes bytes;
      std::memcpy(&bytes, text.data(), sizeof bytes);
      counts -= reinterpret_cast<Bytes>(((bytes < 0x20) & (bytes != '\t')) | (bytes == 0x7f));  // true is -1
      text.remove_prefix(sizeof bytes);
    }
    for (size_t i = 0; i < sizeof(Bytes); ++i) count += counts[i];
  }
  for (char c : text) count += Is(c, kControl) ? 1 : 0;
  return count;
}

// Whether a control byte (HTAB excepted) is in the text. Sixteen bytes a step, the last of which overlap.
inline bool HasControl(std::string_view text) {
  using Bytes = uint8_t __attribute__((vector_size(16)));
  const char* const data = text.data();
  if (text.size() < sizeof(Bytes)) {
    uint8_t classes = 0;
    for (char c : text) classes |= kTable[static_cast<unsigned char>(c)];
    return (classes & kControl) != 0;
  }
  using Found = signed char __attribute__((vector_size(16)));  // what comparing Bytes makes
  Found found{};
  const auto look = [&found](const char* at) {
    Bytes bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    found |= ((bytes < 0x20) & (bytes != '\t')) | (bytes == 0x7f);
  };
  for (size_t at = 0; at + sizeof(Bytes) < text.size(); at += sizeof(Bytes)) look(data + at);
  look(data + text.size() - sizeof(Bytes));
  uint64_t halves[2];
  std::memcpy(halves, &found, sizeof halves);
  return (halves[0] | halves[1]) != 0;
}

inline std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls `use(element)` for each element of a comma-separated list, trimmed; empty ones are passed over (RFC 9110
// section 5.6.1.2).
template <typename Use>
void ForEachElement(std::string_view list, Use use) {
  for (;;) {
    const size_t comma = list.find(',');
    const std::string_view element = TrimBlanks(list.substr(0, comma));
    if (!element.empty()) use(element);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace sluice::http::syntax
