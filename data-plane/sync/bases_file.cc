#include "data-plane/sync/bases_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/observe/log.h"
#include "common/quota/wire.h"

namespace sluice::sync {
namespace {

std::string Path(const std::string& folder) {
  return folder + "/shares";
}

absl::Status SystemError(const char* doing, const std::string& path) {
  return absl::InternalError(absl::StrCat("cannot ", doing, " ", path, ": ", strerror(errno)));
}

absl::Status Flush(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return SystemError("open", path);
  const bool flushed = fsync(fd) == 0;
  const absl::Status status = flushed ? absl::OkStatus() : SystemError("flush", path);
  close(fd);
  return status;
}

}  // namespace

std::optional<quota::Bases> ReadBases(const std::string& folder) {
  std::ifstream in(Path(folder), std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  lease::v1::Bases bases;
  if (bases.ParseFromString(std::move(text).str())) return quota::FromWire(bases);
  log::Error("which parts of limits are this node's own cannot be read; it has none until it is told",
             {{"path", Path(folder)}});
  return quota::Bases{};
}

absl::Status WriteBases(const std::string& folder, const quota::Bases& bases) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string beside = Path(folder) + ".new";
  {
    std::ofstream out(beside, std::ios::binary | std::ios::trunc);
    out << quota::ToWire(bases).SerializeAsString();
    out.close();
    if (!out) return SystemError("write", beside);
  }
  absl::Status status = Flush(beside, O_WRONLY);
  if (status.ok() && rename(beside.c_str(), Path(folder).c_str()) != 0) status = SystemError("rename", beside);
  if (status.ok()) status = Flush(folder, O_RDONLY | O_DIRECTORY);
  return status;
}

}  // namespace sluice::sync
