#pragma once

// Where gRPC and the handlers meet: every method of every service is one call of Serve. Runs on gRPC's threads.

#include <utility>

#include "control-plane/admin/call.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"

namespace sluice::admin {

// Code, sentence and google.rpc details.
grpc::Status ToGrpc(const absl::Status& status);

Arrival ArrivalOf(const grpc::ServerContext& context, std::string_view method);

// `handle(call)` runs when the caller may call the method.
template <typename Request, typename Handle>
grpc::Status Serve(const AdminDeps& deps, grpc::ServerContext& context, std::string_view method, const Request& request,
                   Handle&& handle) {
  Call call;
  call.cancelled = [&context] { return context.IsCancelled(); };
  const absl::Status begun = BeginCall(deps, ArrivalOf(context, method), request, call);
  if (!begun.ok()) return ToGrpc(begun);
  absl::Status done = handle(call);
  return ToGrpc(EndCall(deps, call, std::move(done)));
}

}  // namespace sluice::admin
