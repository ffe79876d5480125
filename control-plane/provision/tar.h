#pragma once

// A tar archive of one small file: how an engine takes a file for a container. Pure.

#include <string>
#include <string_view>

namespace sluice::provision {

struct TarFile {
  std::string_view name;  // at most 99 bytes
  std::string_view content;
  unsigned mode = 0400;
  unsigned owner = 0;  // user and group
};

// In the format of POSIX.1-1988 (ustar), ended as it says.
std::string TarOf(const TarFile& file);

}  // namespace sluice::provision
