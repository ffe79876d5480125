#include "control-plane/admin/services.h"

#include "control-plane/admin/service_list.h"

namespace sluice::admin {

std::vector<std::unique_ptr<grpc::Service>> MakeAdminServices(const AdminDeps& deps) {
  std::vector<std::unique_ptr<grpc::Service>> services;
  services.push_back(MakeGatewaysService(deps));
  services.push_back(MakeConfigsService(deps));
  services.push_back(MakePluginsService(deps));
  services.push_back(MakeCellsService(deps));
  services.push_back(MakeNodesService(deps));
  services.push_back(MakeAuthoritiesService(deps));
  services.push_back(MakePlansService(deps));
  services.push_back(MakeUsageService(deps));
  services.push_back(MakeAccessService(deps));
  return services;
}

}  // namespace sluice::admin
