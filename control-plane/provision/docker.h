#pragma once

// Nodes as containers of a Docker engine, by the Engine API over its Unix socket. A container carries the labels
// sluice.fleet, sluice.node and sluice.cell, by which every control plane finds what another one made, and
// sluice.print, which tells whether it would be made so again. One that crashes is started again by the engine.

#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "control-plane/provision/driver.h"

namespace sluice::provision {

// Inside a container.
inline constexpr int kContainerHttp = 8000, kContainerHttps = 8443, kContainerOps = 8100;
inline constexpr char kContainerState[] = "/var/lib/sluice";
inline constexpr unsigned kContainerUser = 65532;

struct DockerOptions {
  std::string socket = "/var/run/docker.sock";
  std::string image;    // of deploy/compose, or one with the same programs, user and folders; the engine has it
  std::string network;  // of the engine, in which the nodes find the control plane
  std::string fleet = "sluice";  // tells fleets of one engine apart
  std::string prefix;            // of names
  std::string control_planes;    // host:port,..., as containers find them
  std::string publish;           // address of the engine's machine on which `ports` lead to HTTP and HTTPS; "": none
  PortPlan ports;
  std::vector<std::string> arguments;    // further ones, of every node
  std::vector<std::string> environment;  // NAME=VALUE
  std::vector<std::string> binds;        // SOURCE:PATH[:ro]
};

std::unique_ptr<Driver> MakeDockerDriver(DockerOptions options, const Clock& clock);

}  // namespace sluice::provision
