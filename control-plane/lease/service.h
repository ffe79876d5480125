#pragma once

// The Lease service: one stream a node over mutual TLS, which carries the messages between the node and the cell's
// allocator. Callbacks run on gRPC's threads and never block on the database.

#include <atomic>
#include <cstdint>
#include <memory>

#include "control-plane/lease/cell.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace sluice::lease {

inline constexpr size_t kMaxQueued = 64;  // answers of a stream that is slow to take them; then it ends

class Service {
 public:
  // The cell outlives it.
  static std::unique_ptr<Service> Make(Cell& cell);
  virtual ~Service() = default;
  virtual grpc::Service& grpc() = 0;
};

}  // namespace sluice::lease
