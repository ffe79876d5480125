#include "control-plane/admin/serve.h"

#include "control-plane/admin/errors.h"

namespace sluice::admin {

namespace {

std::string_view Metadata(const grpc::ServerContext& context, const char* name) {
  const auto found = context.client_metadata().find(name);
  if (found == context.client_metadata().end()) return {};
  return {found->second.data(), found->second.size()};
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), StatusMessage(status), StatusDetails(status)};
}

Arrival ArrivalOf(const grpc::ServerContext& context, std::string_view method) {
  return {method, Metadata(context, "authorization"), Metadata(context, "x-request-id"), context.peer()};
}

}  // namespace sluice::admin
