#pragma once

// Keeps the Sync stream to the control plane alive on a thread of its own, and feeds the applier. Reconnects for ever,
// with full jitter between kFirstBackoff and kMaxBackoff; keepalive notices a dead peer within ten seconds.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/server.h"
#include "data-plane/sync/applier.h"
#include "data-plane/sync/status.h"

namespace sluice::sync {

inline constexpr Duration kFirstBackoff = std::chrono::milliseconds(200);
inline constexpr Duration kMaxBackoff = std::chrono::seconds(30);

struct ClientOptions {
  std::string control_plane;  // host:port
  rpc::TlsFiles tls;
  std::string node;  // the common name of its certificate
  std::string build;
  std::string address;  // of its operations port
};

class Client {
 public:
  // Errors name the file that cannot be used. The applier belongs to the client's thread from here on.
  static absl::StatusOr<std::unique_ptr<Client>> Start(ClientOptions options, Applier& applier, Status& status);
  virtual ~Client() = default;  // ends the stream and joins
};

}  // namespace sluice::sync
