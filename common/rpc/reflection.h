#pragma once

// gRPC reflection, version 1, beside the v1alpha that the packaged library brings: newer clients ask for this one
// first. Describes what is linked into the program. Callable from every thread; a stream holds one of the server's
// threads for at most kMaxReflectionRequests.

#include <memory>
#include <string>
#include <vector>

namespace grpc {
class Service;
}

namespace sluice::rpc {

inline constexpr int kMaxReflectionRequests = 1000;  // of one stream; RESOURCE_EXHAUSTED past it

// `services` are the full names that a listing shows.
std::unique_ptr<grpc::Service> MakeReflectionService(std::vector<std::string> services);

}  // namespace sluice::rpc
