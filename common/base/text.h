#pragma once

// Joining text by standard views, which the Abseil that Debian ships does not take. Pure.

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

namespace sluice {
namespace internal {

inline void AppendPart(std::string& out, std::string_view part) {
  out.append(part);
}

template <typename T>
  requires std::integral<T> || std::floating_point<T>
void AppendPart(std::string& out, T number) {
  char digits[32];
  if constexpr (std::floating_point<T>) {
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed, 3);
    out.append(digits, end);
  } else {
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
    out.append(digits, end);
  }
}

}  // namespace internal

template <typename... Parts>
void Append(std::string& out, const Parts&... parts) {
  (internal::AppendPart(out, parts), ...);
}

// "a" + 1 + "b" is "a1b". Fractions have three digits: milliseconds with their microseconds.
template <typename... Parts>
std::string Cat(const Parts&... parts) {
  std::string out;
  Append(out, parts...);
  return out;
}

}  // namespace sluice
