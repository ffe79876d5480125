#pragma once

// Whether what runs is what would be started now: a digest of all that makes it so.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sluice::provision {

// 32 hexadecimal digits. Pure.
std::string FingerprintOf(std::string_view text);

// The same with files' contents, each read again only when it has changed. Not for several threads.
class Fingerprints {
 public:
  // 32 hexadecimal digits for a command, whose first word is a file, and for files that it reads. NOT_FOUND names the
  // one that cannot be read.
  absl::StatusOr<std::string> Of(const std::vector<std::string>& command, const std::vector<std::string>& inputs);

 private:
  struct Known {
    std::string stamp;  // of the file's metadata
    std::string digest;
  };
  absl::StatusOr<std::string> Digest(const std::string& path);
  std::map<std::string, Known> known_;  // by path
};

}  // namespace sluice::provision
