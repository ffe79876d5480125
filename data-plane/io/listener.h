#pragma once

// Accepts connections on one loop. Several loops listen on the same port with SO_REUSEPORT. When descriptors run out
// the newest connections are closed at once, and accepting never stops. "::" takes IPv6 alone. Loop's thread only, but
// for refused().

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "data-plane/io/stream.h"

namespace sluice::io {

struct Accepted {
  int fd;  // non-blocking, close-on-exec, TCP_NODELAY; the callback owns it
  Endpoint peer;
  Endpoint local;
};

inline constexpr int kListenBacklog = 4096;           // the kernel's net.core.somaxconn bounds it as well
inline constexpr int kMaxAcceptsInTurn = 64;          // then others run first
inline constexpr std::chrono::milliseconds kAcceptRetry{50};  // where even the reserve descriptor was gone

class Listener {
 public:
  // Port 0 takes a free one (port() tells). `accepted` runs on the loop's thread. Errors name the address and the
  // cause.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(Loop& loop, const Endpoint& at,
                                                        std::function<void(Accepted)> accepted);
  virtual ~Listener() = default;  // closes; connections that were accepted live on
  virtual uint16_t port() const = 0;
  virtual uint64_t refused() const = 0;  // closed at once for want of descriptors
};

}  // namespace sluice::io
