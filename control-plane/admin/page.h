#pragma once

// Pages of a listing. A token is opaque to clients: where to go on, bound to the query that made it. Stateless;
// callable from every thread.

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sluice::admin {

inline constexpr int kDefaultPageSize = 50;
inline constexpr int kMaxPageSize = 1000;  // more is taken as this
inline constexpr size_t kMaxPageTokenBytes = 1024;

struct Page {
  int size = kDefaultPageSize;
  std::string cursor;  // "" from the start
};

// `query`: everything that decides what is listed, but page size and token. INVALID_ARGUMENT for a token of another
// query.
absl::StatusOr<Page> ReadPage(std::string_view query, uint32_t page_size, const std::string& page_token);
std::string MakePageToken(std::string_view query, std::string_view cursor);

}  // namespace sluice::admin
