#pragma once

// One call of gRPC's own health service: the smallest real RPC there is.

#include <memory>

#include "grpcpp/channel.h"
#include "grpcpp/support/status.h"

namespace sluice::rpc {

// Waits for the connection, at most 10 s. `request_bytes`: size of the service name asked for.
grpc::Status CheckHealth(const std::shared_ptr<grpc::Channel>& channel, size_t request_bytes = 0);

}  // namespace sluice::rpc
