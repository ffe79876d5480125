#pragma once

// Small work on std::string_view, which the Abseil of this platform does not take. Stateless.

#include <string>
#include <string_view>
#include <vector>

#include "common/base/text.h"

namespace sluice::schema {

using sluice::Cat;

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

// Every byte of a configuration goes through these.
constexpr bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
constexpr bool IsAlnum(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Bytes that are not printable ASCII as \x1b.
std::string EscapeBytes(std::string_view text);

bool IsUtf8(std::string_view text);
// The prefix of at most `size` bytes that ends between two UTF-8 characters.
std::string Shortened(std::string_view text, size_t size);

}  // namespace sluice::schema
