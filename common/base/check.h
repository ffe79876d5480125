#pragma once

// SLUICE_CHECK states what must be true unless we made a mistake; a false one ends the process with the place and the
// sentence. What the world can get wrong is an absl::Status instead.

namespace sluice {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);
}  // namespace sluice

#define SLUICE_CHECK(condition) \
  (__builtin_expect(static_cast<bool>(condition), 1) ? void(0) : ::sluice::CheckFailed(__FILE__, __LINE__, #condition))
