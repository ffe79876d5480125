#pragma once

// Lines for operators on standard error, one JSON object each: {"ts","level","msg",...}. Not for the request path (see
// the access log). Callable from every thread; a line is one write.

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::log {

enum class Level { kDebug, kInfo, kWarning, kError };
inline constexpr size_t kMaxValueBytes = 4096;  // of a message or a field; the rest is cut off

using Pair = std::pair<std::string_view, std::string_view>;

// Lines below the minimum are dropped; kInfo at first.
void SetMinimum(Level level);
void Write(Level level, std::string_view message, std::initializer_list<Pair> fields = {});
inline void Info(std::string_view message, std::initializer_list<Pair> fields = {}) {
  Write(Level::kInfo, message, fields);
}
inline void Warning(std::string_view message, std::initializer_list<Pair> fields = {}) {
  Write(Level::kWarning, message, fields);
}
inline void Error(std::string_view message, std::initializer_list<Pair> fields = {}) {
  Write(Level::kError, message, fields);
}

// The line as it is written, with its newline.
std::string Format(Level level, std::string_view message, std::initializer_list<Pair> fields = {});

// Appends `text` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD, control characters are escaped.
void AppendJsonString(std::string& out, std::string_view text);

}  // namespace sluice::log
