#pragma once

// Who is at the other end of a call.

#include <string>

namespace grpc {
class ServerContextBase;
}  // namespace grpc

namespace sluice::rpc {

// The certificate, in PEM, that the peer was authenticated by; "" where there is none.
std::string PeerCertificate(const grpc::ServerContextBase& context);

}  // namespace sluice::rpc
