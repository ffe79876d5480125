#include "data-plane/sync/durable_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace sluice::sync {
namespace {

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

absl::Status Flush(int fd, const std::string& path) {
  return fsync(fd) == 0 ? absl::OkStatus() : SystemError("flush", path);
}

absl::Status Write(const std::string& path, std::initializer_list<std::string_view> parts, bool flushed) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return SystemError("create", path);
  absl::Status status;
  for (std::string_view part : parts) {
    if (status.ok() && !WriteAll(fd, part)) status = SystemError("write", path);
  }
  if (status.ok() && flushed) status = Flush(fd, path);
  close(fd);
  if (!status.ok()) unlink(path.c_str());  // half a file would only fill a full disk
  return status;
}

}  // namespace

absl::Status SystemError(const char* doing, const std::string& path) {
  return absl::InternalError(absl::StrCat("cannot ", doing, " ", path, ": ", strerror(errno)));
}

absl::Status WriteFlushed(const std::string& path, std::initializer_list<std::string_view> parts) {
  return Write(path, parts, true);
}

absl::Status WriteUnflushed(const std::string& path, std::string_view content) {
  return Write(path, {content}, false);
}

absl::Status FlushFolder(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return SystemError("open", folder);
  const absl::Status status = Flush(fd, folder);
  close(fd);
  return status;
}

absl::Status ReplaceFile(const std::string& folder, const std::string& name, std::string_view content) {
  std::error_code error;  // what cannot be made cannot be written to either
  std::filesystem::create_directories(folder, error);
  const std::string path = folder + "/" + name;
  const std::string beside = path + ".new";
  absl::Status status = WriteFlushed(beside, {content});
  if (status.ok() && rename(beside.c_str(), path.c_str()) != 0) status = SystemError("rename", beside);
  return status.ok() ? FlushFolder(folder) : status;
}

}  // namespace sluice::sync
