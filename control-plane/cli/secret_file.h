#pragma once

// Texts that are shown once: into a new file that only its owner may read, never to the terminal. Main thread.

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "control-plane/cli/commands.h"

namespace sluice::cli {

// What `make` gives goes into the file, which must not exist. kOk, or what it failed with, said already.
int WriteSecret(Cli& cli, const std::string& path, const std::function<absl::StatusOr<std::string>()>& make);

}  // namespace sluice::cli
