#pragma once

// Joining and splitting text by standard views, which the Abseil that Debian ships does not take. Pure.

#include <string_view>

#include "common/base/text.h"

namespace sluice::proxy::text {

using sluice::Append;
using sluice::Cat;

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
