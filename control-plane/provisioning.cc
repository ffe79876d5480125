#include "control-plane/provisioning.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_join.h"
#include "common/base/text.h"
#include "control-plane/provision/docker.h"
#include "control-plane/provision/process.h"

namespace sluice {
namespace {

absl::StatusOr<std::string> Program(const ProvisionFlags& flags) {
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const auto path = std::filesystem::absolute(flags.program.empty() ? own / "sluice-data-plane"
                                                                    : std::filesystem::path(flags.program));
  if (access(path.c_str(), X_OK) == 0) return path.string();
  return absl::NotFoundError(Cat("there is no program ", path.string(), ": give --node-program"));
}

absl::StatusOr<std::unique_ptr<provision::Driver>> MakeDriver(const ProvisionFlags& flags,
                                                              const ProvisioningDeps& deps) {
  const std::string control_planes =
      flags.control_planes.empty() ? deps.own_address : absl::StrJoin(flags.control_planes, ",");
  if (control_planes.empty()) {
    return absl::InvalidArgumentError("where nodes find this replica is not known: give --advertise or "
                                      "--node-control-plane");
  }
  if (flags.provisioner == "docker") {
    provision::DockerOptions options = flags.docker;
    options.prefix = flags.prefix;
    options.control_planes = control_planes;
    options.ports = flags.plan;
    options.arguments = flags.arguments;
    return provision::MakeDockerDriver(std::move(options), deps.clock);
  }
  auto program = Program(flags);
  if (!program.ok()) return program.status();
  const std::string state = std::filesystem::absolute(deps.state).lexically_normal();
  const auto is_member = [&trust = deps.trust](const std::string& pem) { return trust.Identify(pem).ok(); };
  return provision::MakeProcessDriver(
      {*program, state, flags.prefix, control_planes, flags.plan, flags.arguments, flags.watched, is_member},
      deps.clock);
}

provision::ProvisionDeps Deps(const ProvisionFlags& flags, const ProvisioningDeps& deps, provision::Driver& driver) {
  const auto leads = [&cells = deps.cells](const std::string& name) {
    lease::Cell* cell = cells.Find(name);
    return cell != nullptr && cell->leads();
  };
  const auto is_connected = [&registry = deps.registry](const std::string& name) {
    const std::vector<sync::NodeStatus> nodes = registry.Nodes();
    return std::any_of(nodes.begin(), nodes.end(), [&](const auto& node) { return node.name == name; });
  };
  const auto load = [&store = deps.store](const std::string& cell) { return store.RequestsPerSecond(cell); };
  return {driver, deps.store, deps.trust, deps.clock, flags.prefix, leads, is_connected, load};
}

std::vector<provision::CellPlan> Plans(const ProvisionFlags& flags) {
  return {{flags.cell, 1, flags.bounds, flags.bounds.min == flags.bounds.max ? 0 : flags.requests_per_node,
           std::chrono::seconds(flags.scale_down_after)}};
}

}  // namespace

Provisioning::Provisioning(const ProvisionFlags& flags, const ProvisioningDeps& deps,
                           std::unique_ptr<provision::Driver> driver)
    : driver_(std::move(driver)),
      provisioner_(Deps(flags, deps, *driver_), Plans(flags)),
      loop_(provisioner_) {}

absl::StatusOr<std::unique_ptr<Provisioning>> Provisioning::Start(const ProvisionFlags& flags,
                                                                  const ProvisioningDeps& deps) {
  if (flags.is_static()) return nullptr;
  auto driver = MakeDriver(flags, deps);
  if (!driver.ok()) return driver.status();
  return std::unique_ptr<Provisioning>(new Provisioning(flags, deps, *std::move(driver)));
}

}  // namespace sluice
