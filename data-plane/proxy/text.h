#pragma once

// Joining and splitting text by standard views, which the Abseil that Debian ships does not take. Pure.

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

namespace sluice::proxy::text {

inline void AppendPart(std::string& out, std::string_view part) {
  out.append(part);
}

// Fractions with three digits at most: milliseconds with their microseconds.
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

template <typename... Parts>
void Append(std::string& out, const Parts&... parts) {
  (AppendPart(out, parts), ...);
}

template <typename... Parts>
std::string Cat(const Parts&... parts) {
  std::string out;
  Append(out, parts...);
  return out;
}

inline std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes what precedes the next `separator` off the front of `rest`. False at the end. An empty text has no parts.
inline bool NextPart(std::string_view& rest, char separator, std::string_view& part) {
  if (rest.data() == nullptr || rest.empty()) return false;
  const size_t at = rest.find(separator);
  part = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return true;
}

}  // namespace sluice::proxy::text
