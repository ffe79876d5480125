#pragma once

// The Join service (proto/sluice/join/v1): a token becomes a certificate, and a certificate a newer one. Runs on gRPC's
// threads and waits for the database there.

#include <memory>

#include "control-plane/fleet/trust.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace sluice::fleet {

inline constexpr Duration kNodeLife = std::chrono::hours(24);  // of a node's certificate, unless a flag says otherwise
inline constexpr int kMaxJoining = 32;  // calls at once of a replica; further ones are told to try again

// Everything referred to outlives the service.
struct JoinDeps {
  store::Identities& identities;
  const Trust& trust;
  const Clock& clock;
  Duration node_life = kNodeLife;
};

std::unique_ptr<grpc::Service> MakeJoinService(const JoinDeps& deps);

}  // namespace sluice::fleet
