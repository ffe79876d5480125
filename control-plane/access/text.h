#pragma once

// Sentences from pieces. Debian's absl::StrCat does not take std::string_view, which is what most of our pieces are.

#include <concepts>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"

namespace sluice {

inline void AppendPiece(std::string& out, std::string_view piece) { out.append(piece); }
inline void AppendPiece(std::string& out, const char* piece) { out.append(piece); }
inline void AppendPiece(std::string& out, const std::string& piece) { out.append(piece); }
inline void AppendPiece(std::string& out, absl::string_view piece) { out.append(piece.data(), piece.size()); }
template <std::integral T>
void AppendPiece(std::string& out, T number) {
  out.append(std::to_string(number));
}

template <typename... Pieces>
std::string Cat(const Pieces&... pieces) {
  std::string out;
  (AppendPiece(out, pieces), ...);
  return out;
}

}  // namespace sluice
