#pragma once

// Keeps the Sync stream to one of the control plane's replicas alive on a thread of its own, and feeds the applier.
// Stays with a replica as long as its stream lasts, then asks the next; reconnects for ever, with full jitter up to a
// bound that doubles from kFirstBackoff to kMaxBackoff when all of them failed. Keepalive notices a dead peer within
// ten seconds.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/server.h"
#include "data-plane/sync/applier.h"
#include "data-plane/sync/fetches.h"
#include "data-plane/sync/status.h"
#include "data-plane/sync/usage_log.h"

namespace sluice::sync {

inline constexpr Duration kFirstBackoff = std::chrono::milliseconds(200);
inline constexpr Duration kMaxBackoff = std::chrono::seconds(30);
inline constexpr Duration kTidyInterval = std::chrono::seconds(1);  // of the working set
inline constexpr Duration kMaxRetryDelay = std::chrono::seconds(60);  // that a control plane may ask for

struct ClientOptions {
  std::vector<std::string> control_planes;  // host:port of each replica that is known; at least one
  rpc::TlsFiles tls;
  std::string node;  // the common name of its certificate
  std::string build;
  std::string address;  // of its operations port
  std::function<void(const std::vector<std::string>&)> trust;  // is given whom to trust from now on (PEM)
};

class Client {
 public:
  // Errors name the file that cannot be used. The applier is fed by the client's thread from here on.
  // `usage`: null for a node that reports none. `fetches`: what workers wait for; null for one that holds everything.
  static absl::StatusOr<std::unique_ptr<Client>> Start(ClientOptions options, Applier& applier, Status& status,
                                                       UsageLog* usage = nullptr, Fetches* fetches = nullptr);
  virtual ~Client() = default;  // ends the stream and joins
  // There may be something to send in the log of usage. Callable from every thread.
  virtual void SendUsage() = 0;
};

}  // namespace sluice::sync
