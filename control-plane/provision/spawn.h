#pragma once

// Starts a program that is to outlive this one. Callable from every thread.

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sluice::provision {

// In a session of its own, with no descriptor of this process, its output appended to `log`. `known` is called before
// the program begins, and it never begins where that fails or this process dies meanwhile: nothing runs that nobody has
// written down. The caller waits for the child. A program that cannot be executed is an exit code, 126 or 127.
absl::StatusOr<pid_t> SpawnDetached(const std::vector<std::string>& command, const std::string& log,
                                    const std::function<absl::Status(pid_t)>& known);

}  // namespace sluice::provision
