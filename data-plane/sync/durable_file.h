#pragma once

// The steps by which a file is replaced so that neither a crash nor a full disk leaves half of one: written beside,
// flushed, renamed, and the folder flushed. Errors name the file and the cause. Stateless.

#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace sluice::sync {

// What errno says.
absl::Status SystemError(const char* doing, const std::string& path);
// A file of its owner's alone (0600), of `parts` one after the other, on the disk when it returns. What could not be
// written whole is removed.
absl::Status WriteFlushed(const std::string& path, std::initializer_list<std::string_view> parts);
// The same, as long as the system lives: survives this process, not a power cut, and costs no wait for the disk.
absl::Status WriteUnflushed(const std::string& path, std::string_view content);
absl::Status FlushFolder(const std::string& folder);
// All of the steps: `folder`/`name` is `content` once it returns. The folder is made where it is missing.
absl::Status ReplaceFile(const std::string& folder, const std::string& name, std::string_view content);

}  // namespace sluice::sync
