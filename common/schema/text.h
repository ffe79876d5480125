#pragma once

// Small work on std::string_view, which the Abseil of this platform does not take. Stateless.

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::schema {

inline void AppendTo(std::string& out, std::string_view piece) {
  out += piece;
}
inline void AppendTo(std::string& out, std::integral auto number) {
  out += std::to_string(number);
}

// "a" + 1 + "b" is "a1b".
template <typename... Pieces>
std::string Cat(const Pieces&... pieces) {
  std::string out;
  (AppendTo(out, pieces), ...);
  return out;
}

template <typename Range>
std::string JoinText(const Range& words, std::string_view between) {
  std::string out;
  bool first = true;
  for (const auto& word : words) {
    if (!first) out += between;
    first = false;
    out += word;
  }
  return out;
}

// "a..b" by '.' is "a", "", "b".
std::vector<std::string_view> Split(std::string_view text, char by);

std::string Lower(std::string_view text);
std::string Upper(std::string_view text);
bool IsDigit(char c);
bool IsHexDigit(char c);
bool IsAlnum(char c);

// Bytes that are not printable ASCII as \x1b.
std::string EscapeBytes(std::string_view text);

bool IsUtf8(std::string_view text);
// The prefix of at most `size` bytes that ends between two UTF-8 characters.
std::string Shortened(std::string_view text, size_t size);

}  // namespace sluice::schema
