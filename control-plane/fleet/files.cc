#include "control-plane/fleet/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "common/base/random.h"

namespace sluice::fleet {
namespace {

absl::Status Failed(const std::string& what, const std::string& path, int error) {
  const std::string text = "cannot " + what + " " + path + ": " + std::strerror(error);
  if (error == ENOENT) return absl::NotFoundError(text);
  if (error == EEXIST) return absl::AlreadyExistsError(text);
  return absl::FailedPreconditionError(text);
}

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

absl::Status WriteNew(const std::string& path, const std::string& content, int mode) {
  File file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, static_cast<mode_t>(mode)));
  if (file.get() < 0) return Failed("write", path, errno);
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t count = write(file.get(), content.data() + done, content.size() - done);
    if (count < 0 && errno != EINTR) return Failed("write", path, errno);
    if (count > 0) done += static_cast<size_t>(count);
  }
  if (fsync(file.get()) != 0) return Failed("write", path, errno);
  return absl::OkStatus();
}

std::string Beside(const std::string& path) { return path + "." + RandomHex(8) + ".tmp"; }

}  // namespace

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  const auto parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return Failed("make", parent.string(), error.value());
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Failed("make", path, errno);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return Failed("read", path, errno);
  std::string content;
  char buffer[4096];
  while (true) {
    const ssize_t count = read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failed("read", path, errno);
    if (count == 0) return content;
    content.append(buffer, static_cast<size_t>(count));
    if (content.size() > kMaxFileBytes) return absl::FailedPreconditionError(path + " is too large");
  }
}

absl::Status ReplaceFile(const std::string& path, const std::string& content, int mode) {
  const std::string beside = Beside(path);
  absl::Status status = WriteNew(beside, content, mode);
  if (status.ok() && rename(beside.c_str(), path.c_str()) != 0) status = Failed("write", path, errno);
  if (!status.ok()) unlink(beside.c_str());
  return status;
}

absl::Status CreateFile(const std::string& path, const std::string& content, int mode) {
  const std::string beside = Beside(path);
  absl::Status status = WriteNew(beside, content, mode);
  if (status.ok() && link(beside.c_str(), path.c_str()) != 0) status = Failed("make", path, errno);
  unlink(beside.c_str());
  return status;
}

}  // namespace sluice::fleet
