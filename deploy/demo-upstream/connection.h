#pragma once

// One client's connection to the demo upstream: requests in, answers out, until either side has had enough. Its loop's
// thread only.

#include <chrono>
#include <memory>
#include <string>

#include "data-plane/io/stream.h"
#include "data-plane/io/task.h"

namespace sluice::demo {

inline constexpr std::chrono::seconds kIdleTimeout{75};   // between requests
inline constexpr std::chrono::seconds kStallTimeout{30};  // without progress, either way

io::Task<void> ServeConnection(std::unique_ptr<io::Stream> stream, std::string origin);

}  // namespace sluice::demo
