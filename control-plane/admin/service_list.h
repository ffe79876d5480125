#pragma once

// One maker a service; services.cc calls them all. Each service keeps its own copy of the references.

#include <memory>

#include "control-plane/admin/services.h"
#include "grpcpp/impl/codegen/service_type.h"

namespace sluice::admin {

std::unique_ptr<grpc::Service> MakeGatewaysService(const AdminDeps& deps);
std::unique_ptr<grpc::Service> MakeConfigsService(const AdminDeps& deps);
std::unique_ptr<grpc::Service> MakePluginsService(const AdminDeps& deps);
std::unique_ptr<grpc::Service> MakeCellsService(const AdminDeps& deps);
std::unique_ptr<grpc::Service> MakeNodesService(const AdminDeps& deps);
std::unique_ptr<grpc::Service> MakeAuthoritiesService(const AdminDeps& deps);
std::unique_ptr<grpc::Service> MakePlansService(const AdminDeps& deps);
std::unique_ptr<grpc::Service> MakeUsageService(const AdminDeps& deps);
std::unique_ptr<grpc::Service> MakeAccessService(const AdminDeps& deps);

}  // namespace sluice::admin
