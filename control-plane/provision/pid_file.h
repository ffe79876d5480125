#pragma once

// How a process is found again by who did not start it: RUN/NAME.pid holds its pid, the tick of the boot at which it
// started, and a fingerprint of its program and arguments, on one line. deploy/lib/process.sh reads and writes the
// same. Stateless.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"

namespace sluice::provision {

struct PidFile {
  pid_t pid = 0;
  uint64_t started = 0;
  std::string print;
};

// nullopt: there is none, or it says something else.
std::optional<PidFile> ReadPidFile(const std::string& path);
absl::Status WritePidFile(const std::string& path, const PidFile& file);

// Ticks since boot; 0: no such process, or only what is left of one.
uint64_t StartTime(pid_t pid);
// The process that the file speaks of, and not one that was given its pid since.
inline bool IsRunning(const PidFile& file) { return file.started != 0 && StartTime(file.pid) == file.started; }

}  // namespace sluice::provision
