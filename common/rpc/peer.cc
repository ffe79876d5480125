#include "common/rpc/peer.h"

#include <grpcpp/server_context.h>

namespace sluice::rpc {

std::string CertifiedName(const grpc::ServerContextBase& context) {
  const auto authentication = context.auth_context();
  if (authentication == nullptr || !authentication->IsPeerAuthenticated()) return "";
  const auto names = authentication->FindPropertyValues("x509_common_name");
  if (names.size() != 1) return "";
  return std::string(names[0].data(), names[0].size());
}

}  // namespace sluice::rpc
