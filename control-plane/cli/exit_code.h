#pragma once

// What the `sluice` command tells the shell.

namespace sluice::cli {

enum ExitCode {
  kOk = 0,
  kError = 1,
  kDifferences = 2,  // diff found some
  kNotFound = 3,
  kAuthentication = 4,
  kWaitTimedOut = 5,
  kUsage = 64,
};

}  // namespace sluice::cli
