#include "control-plane/cli/secret_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/schema/text.h"

namespace sluice::cli {

using schema::Cat;

int WriteSecret(Cli& cli, const std::string& path, const std::function<absl::StatusOr<std::string>()>& make) {
  // The file first: a text that cannot be kept is of no use to anyone.
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return cli.output.Fail(Cat("cannot create ", path, ": ", std::strerror(errno)), kError);
  const absl::StatusOr<std::string> made = make();
  const std::string text = made.ok() ? *made + "\n" : "";
  const bool written = made.ok() && write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool closed = close(file) == 0;
  if (!made.ok()) {
    unlink(path.c_str());
    return cli.output.Fail(made.status());
  }
  if (!written || !closed) return cli.output.Fail(Cat("cannot write ", path, ": ", std::strerror(errno)), kError);
  return kOk;
}

}  // namespace sluice::cli
