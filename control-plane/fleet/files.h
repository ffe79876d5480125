#pragma once

// Small files that must never be half-written, nor readable by others for a moment. Stateless.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sluice::fleet {

inline constexpr size_t kMaxFileBytes = 1024 * 1024;

absl::Status MakeFolder(const std::string& path);  // with its parents; a new one is 0700
// NOT_FOUND where there is none.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);
// Written beside and renamed: what was there is replaced whole.
absl::Status ReplaceFile(const std::string& path, const std::string& content, int mode);
// Written beside and linked: ALREADY_EXISTS where another was faster.
absl::Status CreateFile(const std::string& path, const std::string& content, int mode);

}  // namespace sluice::fleet
