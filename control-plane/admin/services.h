#pragma once

// The admin gRPC services. main() makes them once and registers them on the admin port beside health and reflection;
// they live as long as the server. gRPC calls them from many threads at once.

#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/config/config.h"
#include "control-plane/access/access.h"
#include "control-plane/fleet/trust.h"
#include "control-plane/index/index.h"
#include "control-plane/placement/directory.h"
#include "control-plane/store/store.h"
#include "control-plane/sync/registry.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace sluice::admin {

// Everything referred to outlives the services.
struct AdminDeps {
  store::Store& store;
  index::Index& index;
  sync::Registry& registry;
  access::Access& access;
  const Clock& clock;
  fleet::Trust& trust;
  placement::Directory& cells;
  config::FleetRules rules;
  std::string base_domain = "gw.localhost";
};

// Every service of sluice.admin.v1, to be handed to grpc::ServerBuilder::RegisterService one by one.
std::vector<std::unique_ptr<grpc::Service>> MakeAdminServices(const AdminDeps& deps);

}  // namespace sluice::admin
