#pragma once

// What a head that we wrote says of its body, read as leniently as servers have been seen to: any line end, blanks
// around names, underscores for dashes, any case. There must be nothing in it that they could disagree about. Pure.

#include <string>
#include <string_view>

#include "common/base/check.h"
#include "data-plane/http/head.h"

namespace sluice::fuzz {

// The name of a line as the most lenient of them takes it.
inline std::string LenientName(std::string_view line) {
  std::string name;
  for (char c : line.substr(0, line.find(':'))) {
    if (c == ' ' || c == '\t') continue;
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    name.push_back(c == '_' ? '-' : c);
  }
  return name;
}

inline void CheckOneFraming(std::string_view head, const http::Framing& framing) {
  size_t lengths = 0;
  size_t codings = 0;
  size_t hosts = 0;
  SLUICE_CHECK(head.ends_with("\r\n\r\n"));
  while (!head.empty()) {
    const size_t end = head.find_first_of("\r\n");
    SLUICE_CHECK(end != std::string_view::npos && head.substr(end, 2) == "\r\n");
    const std::string_view line = head.substr(0, end);
    SLUICE_CHECK(line.find_first_of(std::string_view("\0\v\f", 3)) == std::string_view::npos);
    SLUICE_CHECK(!line.starts_with(' ') && !line.starts_with('\t'));
    const std::string name = line.find(':') == std::string_view::npos ? "" : LenientName(line);
    lengths += name == "content-length" ? 1 : 0;
    codings += name == "transfer-encoding" ? 1 : 0;
    hosts += name == "host" ? 1 : 0;
    head.remove_prefix(end + 2);
    SLUICE_CHECK(line.empty() == head.empty());
  }
  SLUICE_CHECK(lengths == (framing.kind == http::Framing::Kind::kLength ? 1 : 0));
  SLUICE_CHECK(codings == (framing.kind == http::Framing::Kind::kChunked ? 1 : 0));
  SLUICE_CHECK(hosts <= 1);
}

}  // namespace sluice::fuzz
