#pragma once

// Keeps the Lease stream to the replica that owns the cell, on threads of its own, and moves the node's shares with it.
// Asks one control plane after the other, and the one that they say is the owner; tries again without end.

#include <memory>

#include "absl/status/statusor.h"
#include "data-plane/limit/shares.h"
#include "data-plane/sync/client.h"

namespace sluice::sync {

// Between two streams, at random up to a bound that doubles with every stream that brought nothing.
inline constexpr Duration kFirstLeaseRetry = std::chrono::milliseconds(100);
inline constexpr Duration kMaxLeaseRetry = std::chrono::seconds(5);

inline constexpr int kMaxOwnerHops = 3;  // from one that names the owner to the one it names, without a wait

class LeaseClient {
 public:
  // Errors name the file that cannot be used. `shares` outlives it.
  static absl::StatusOr<std::unique_ptr<LeaseClient>> Start(const ClientOptions& options, limit::Shares& shares);
  virtual ~LeaseClient() = default;  // ends the stream and joins
  // The node admits nothing any more, and gives up its part of every limit if it can say so within `patience`.
  virtual void Leave(Duration patience) = 0;
};

}  // namespace sluice::sync
