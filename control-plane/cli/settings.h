#pragma once

// Which control plane to talk to, as whom: flags, then the environment, then ~/.config/sluice/context.json. The context
// holds the path of a token's file, never a token. Belongs to the main thread.

#include <string>

#include "absl/status/statusor.h"
#include "control-plane/cli/client.h"
#include "control-plane/cli/environment.h"

namespace sluice::cli {

inline constexpr const char* kDefaultServer = "127.0.0.1:7001";
inline constexpr size_t kMaxContextBytes = 65536;

struct Context {
  std::string server;
  std::string token_file;
  std::string ca;
};

std::string ContextPath(const Environment& environment);
// Empty fields where there is no file.
absl::StatusOr<Context> ReadContext(const Environment& environment);
absl::Status WriteContext(const Environment& environment, const Context& context);

// `flags` win. UNAUTHENTICATED where no token is found anywhere.
absl::StatusOr<Target> ResolveTarget(const Environment& environment, const Context& flags);

// A whole file, or standard input for "-". Errors name it.
absl::StatusOr<std::string> ReadInput(const Environment& environment, const std::string& path, size_t max_bytes);

}  // namespace sluice::cli
