#pragma once

// The Lease service: one stream a node over mutual TLS, which carries the messages between the node and the
// allocator of its cell. Callbacks run on gRPC's threads and never block on the database.

#include <memory>

#include "control-plane/fleet/trust.h"
#include "control-plane/lease/cells.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace sluice::lease {

inline constexpr size_t kMaxQueued = 64;  // answers of a stream that is slow to take them; then it ends

class Service {
 public:
  // The cells and the trust outlive it.
  static std::unique_ptr<Service> Make(Cells& cells, const fleet::Trust& trust);
  virtual ~Service() = default;
  virtual grpc::Service& grpc() = 0;
  // Ends the streams of nodes whose certificates are not good any more.
  virtual void Recheck() = 0;
};

}  // namespace sluice::lease
