#pragma once

// Who is at the other end of a call.

#include <string>

namespace grpc {
class ServerContextBase;
}  // namespace grpc

namespace sluice::rpc {

// The common name of the certificate that the peer was authenticated by; "" where there is none.
std::string CertifiedName(const grpc::ServerContextBase& context);

}  // namespace sluice::rpc
