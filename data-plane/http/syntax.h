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

inline bool AllOf(std::string_view text, uint8_t classes) {
  for (char c : text) {
    if (!Is(c, classes)) return false;
  }
  return true;
}

// Whether one of eight bytes may be a control byte (HTAB counts as one here).
inline bool MayHaveControl(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHigh = 0x8080808080808080;
  const uint64_t below_space = (word - kOnes * 0x20) & ~word & kHigh;
  const uint64_t minus_delete = word ^ (kOnes * 0x7f);
  const uint64_t is_delete = (minus_delete - kOnes) & ~minus_delete & kHigh;
  return (below_space | is_delete) != 0;
}

// Whether a control byte (HTAB excepted) is in the text. Eight bytes a step, the last of which overlap; only where
// they hold something below 0x20 or 0x7f is the text looked at byte by byte.
inline bool HasControl(std::string_view text) {
  const char* const data = text.data();
  uint64_t word;
  if (text.size() >= 8) {
    bool suspect = false;
    for (size_t at = 0; at + 8 < text.size(); at += 8) {
      std::memcpy(&word, data + at, 8);
      suspect |= MayHaveControl(word);
    }
    std::memcpy(&word, data + text.size() - 8, 8);
    if (!(suspect | MayHaveControl(word))) return false;
  } else if (text.size() >= 4) {
    uint32_t first, last;
    std::memcpy(&first, data, 4);
    std::memcpy(&last, data + text.size() - 4, 4);
    if (!MayHaveControl(uint64_t{first} << 32 | last)) return false;
  }
  for (char c : text) {
    if (Is(c, kControl)) return true;
  }
  return false;
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
