#pragma once

// The part of the command line that says where nodes run, and how many. Read once by main.

#include <string>
#include <vector>

#include "control-plane/provision/docker.h"
#include "control-plane/provision/target.h"

namespace CLI {
class App;
}  // namespace CLI

namespace sluice {

struct ProvisionFlags {
  std::string provisioner = "static";
  std::string nodes;  // as written
  provision::Bounds bounds;
  double requests_per_node = 0;
  int scale_down_after = 300;  // seconds
  std::string cell = "default";
  std::string prefix = "node";
  std::vector<std::string> control_planes;  // empty: this one
  std::vector<std::string> arguments;
  std::string ports;  // as written
  provision::PortPlan plan;
  std::string program;  // "": beside this one
  std::vector<std::string> watched;
  provision::DockerOptions docker;

  bool is_static() const { return provisioner == "static"; }
};

void AddProvisionOptions(CLI::App& app, ProvisionFlags& flags);
// Throws CLI::ValidationError, as the parser does.
void CheckProvisionOptions(ProvisionFlags& flags);

// Where nodes of this machine have their operations ports, which no gateway may reach.
std::vector<std::string> NodeOpsAddresses(const ProvisionFlags& flags);

}  // namespace sluice
