#include "control-plane/provision/pid_file.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "common/base/text.h"
#include "control-plane/fleet/files.h"

namespace sluice::provision {

std::optional<PidFile> ReadPidFile(const std::string& path) {
  auto text = fleet::ReadSmallFile(path);
  if (!text.ok()) return std::nullopt;
  std::istringstream words(*text);
  PidFile file;
  if (!(words >> file.pid >> file.started) || file.pid <= 1) return std::nullopt;
  words >> file.print;
  return file;
}

absl::Status WritePidFile(const std::string& path, const PidFile& file) {
  return fleet::ReplaceFile(path, Cat(file.pid, " ", file.started, " ", file.print, "\n"), 0644);
}

uint64_t StartTime(pid_t pid) {
  std::ifstream in(Cat("/proc/", pid, "/stat"));
  std::string line;
  if (!std::getline(in, line)) return 0;
  const size_t name_end = line.rfind(')');  // a name may have parentheses and spaces itself
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(line.substr(name_end + 1));
  std::string field;
  constexpr int kState = 3, kStartTime = 22;  // as proc(5) numbers them
  for (int i = kState; fields >> field; ++i) {
    if (i == kState && (field == "Z" || field == "X")) return 0;
    if (i == kStartTime) return std::strtoull(field.c_str(), nullptr, 10);
  }
  return 0;
}

}  // namespace sluice::provision
