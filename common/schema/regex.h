#pragma once

// How every regular expression of a configuration is read: RE2, bytes (Latin-1), bounded. Stateless.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "re2/re2.h"

namespace sluice::schema {

inline constexpr size_t kMaxRegexBytes = 512;            // of the pattern
inline constexpr int64_t kMaxRegexMemory = 1024 * 1024;  // of the compiled program

// INVALID_ARGUMENT with RE2's own words where the pattern does not compile or is over a limit.
absl::StatusOr<std::unique_ptr<re2::RE2>> CompileRegex(std::string_view pattern);

}  // namespace sluice::schema
