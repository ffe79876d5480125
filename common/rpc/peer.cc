#include "common/rpc/peer.h"

#include <grpcpp/server_context.h>

namespace sluice::rpc {

std::string PeerCertificate(const grpc::ServerContextBase& context) {
  const auto authentication = context.auth_context();
  if (authentication == nullptr || !authentication->IsPeerAuthenticated()) return "";
  const auto found = authentication->FindPropertyValues("x509_pem_cert");
  if (found.size() != 1) return "";
  return std::string(found[0].data(), found[0].size());
}

}  // namespace sluice::rpc
