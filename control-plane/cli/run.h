#pragma once

// The whole command, from arguments to exit code.

#include <string>
#include <vector>

#include "control-plane/cli/environment.h"

namespace sluice::cli {

inline constexpr const char* kVersion = "0.1.0";

int Run(const std::vector<std::string>& arguments, Environment& environment);

}  // namespace sluice::cli
