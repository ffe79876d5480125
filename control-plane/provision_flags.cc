#include "control-plane/provision_flags.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <set>

#include "common/base/text.h"
#include "control-plane/fleet/authority.h"

namespace sluice {
namespace {

constexpr int kMaxPort = 65535;
constexpr int kMaxScaleDownSeconds = 86'400;
constexpr double kMaxRequestsPerNode = 1e9;

provision::Bounds ParseNodes(const std::string& text) {
  provision::Bounds bounds;
  char rest = '\0';
  const int read = std::sscanf(text.c_str(), "%d-%d%c", &bounds.min, &bounds.max, &rest);
  if (read == 1 && text.find('-') == std::string::npos) bounds.max = bounds.min;
  const bool form = (read == 2 || (read == 1 && text == Cat(bounds.min))) && bounds.min >= 1;
  if (form && bounds.min <= bounds.max && bounds.max <= provision::kMaxNodes) return bounds;
  throw CLI::ValidationError("--nodes", Cat("\"", text, "\" is not a number of nodes, or the least and the most of "
                                            "them as in 2-5, from 1 to ", provision::kMaxNodes));
}

provision::PortPlan ParsePorts(const std::string& text) {
  provision::PortPlan plan;
  if (text.empty()) return plan;
  char rest = '\0';
  if (std::sscanf(text.c_str(), "%d,%d,%d%c", &plan.http, &plan.https, &plan.ops, &rest) == 3) return plan;
  throw CLI::ValidationError("--node-ports", Cat("\"", text, "\" is not three ports, as in 8000,8443,8100"));
}

void CheckPorts(const ProvisionFlags& flags) {
  std::set<int> ports;
  for (const int first : {flags.plan.http, flags.plan.https, flags.plan.ops}) {
    for (int slot = 1; slot <= flags.bounds.max; ++slot) {
      const int port = provision::PortPlan::Of(first, slot);
      if (port >= 1 && port <= kMaxPort && ports.insert(port).second) continue;
      throw CLI::ValidationError(
          "--node-ports", Cat("with ", flags.bounds.max, " nodes, each ", provision::PortPlan::kStride,
                              " ports further on, port ", port, " is none or is needed twice: choose others"));
    }
  }
}

void AddDockerOptions(CLI::App& app, provision::DockerOptions& docker) {
  app.add_option("--docker-socket", docker.socket, "of the Docker engine")->capture_default_str();
  app.add_option("--docker-image", docker.image, "image of the nodes, which the engine has");
  app.add_option("--docker-network", docker.network, "network of the nodes, in which they find the control plane");
  app.add_option("--docker-fleet", docker.fleet, "tells fleets of one engine apart; begins containers' names")
      ->capture_default_str();
  app.add_option("--docker-publish", docker.publish,
                 "address of the engine's machine where --node-ports lead to the nodes (default: nowhere)");
  app.add_option("--docker-env", docker.environment, "NAME=VALUE for every node (repeatable)")->allow_extra_args(false);
  app.add_option("--docker-bind", docker.binds, "SOURCE:PATH[:ro] for every node (repeatable)")
      ->allow_extra_args(false);
}

}  // namespace

void AddProvisionOptions(CLI::App& app, ProvisionFlags& flags) {
  app.add_option("--provisioner", flags.provisioner,
                 "who starts nodes: static (somebody else), process (this program, on this machine), docker")
      ->check(CLI::IsMember({"static", "process", "docker"}))
      ->capture_default_str();
  app.add_option("--nodes", flags.nodes, "how many nodes it keeps running: N, or MIN-MAX by load");
  app.add_option("--requests-per-node", flags.requests_per_node,
                 "requests a second that a node is meant for: so many nodes that each has about that")
      ->check(CLI::Range(0.001, kMaxRequestsPerNode));
  app.add_option("--scale-down-after", flags.scale_down_after,
                 "seconds for which fewer nodes must have been enough before one is stopped")
      ->check(CLI::Range(1, kMaxScaleDownSeconds))
      ->capture_default_str();
  app.add_option("--node-cell", flags.cell, "cell of its nodes, as in `sluice cell`")->capture_default_str();
  app.add_option("--node-prefix", flags.prefix, "of the nodes' names: PREFIX-1, PREFIX-2, ...")->capture_default_str();
  app.add_option("--node-control-plane", flags.control_planes,
                 "host:port where the nodes find the control plane (repeatable; default: as --advertise)")
      ->allow_extra_args(false);
  app.add_option("--node-argument", flags.arguments,
                 "further argument of every node (repeatable), as in --node-argument=--workers=2")
      ->allow_extra_args(false);
  app.add_option("--node-ports", flags.ports,
                 "HTTP,HTTPS,operations of the first node; each further one's are 10 more (default: 8000,8443,8100)");
  app.add_option("--node-program", flags.program, "process: sluice-data-plane (default: beside this program)");
  app.add_option("--node-watch", flags.watched,
                 "process: file that nodes read when they start; they are replaced when it changes (repeatable)")
      ->allow_extra_args(false);
  AddDockerOptions(app, flags.docker);
}

void CheckProvisionOptions(ProvisionFlags& flags) {
  if (flags.is_static()) {
    if (flags.nodes.empty()) return;
    throw CLI::ValidationError("--nodes", "nobody starts nodes: give --provisioner process or docker as well");
  }
  if (flags.nodes.empty()) throw CLI::RequiredError(Cat("--nodes (with --provisioner ", flags.provisioner, ")"));
  flags.bounds = ParseNodes(flags.nodes);
  if (flags.bounds.min != flags.bounds.max && flags.requests_per_node == 0) {
    throw CLI::RequiredError("--requests-per-node (with --nodes MIN-MAX)");
  }
  if (!fleet::IsNodeName(provision::NameOf(flags.prefix, provision::kMaxNodes))) {
    throw CLI::ValidationError("--node-prefix", "letters, digits, '-', '_' and '.', at most 60 of them");
  }
  flags.plan = ParsePorts(flags.ports);
  if (flags.provisioner == "process" || !flags.docker.publish.empty()) CheckPorts(flags);
  if (flags.provisioner != "docker") return;
  if (flags.docker.image.empty()) throw CLI::RequiredError("--docker-image (with --provisioner docker)");
  if (flags.docker.network.empty()) throw CLI::RequiredError("--docker-network (with --provisioner docker)");
  if (flags.control_planes.empty()) {
    throw CLI::ValidationError("--node-control-plane",
                               "is needed with --provisioner docker: how containers in --docker-network name this "
                               "replica, which must be a --sync-name");
  }
}

std::vector<std::string> NodeOpsAddresses(const ProvisionFlags& flags) {
  std::vector<std::string> addresses;
  for (int slot = 1; flags.provisioner == "process" && slot <= flags.bounds.max; ++slot) {
    addresses.push_back(Cat("127.0.0.1:", provision::PortPlan::Of(flags.plan.ops, slot)));
  }
  return addresses;
}

}  // namespace sluice
