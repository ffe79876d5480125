#pragma once

// Nodes as processes of this machine, each in a session of its own, so that they outlive the control plane and are
// found again by the next one (pid_file.h). Below the state folder: run/NAME.pid, log/NAME.log, and NAME/ with the
// node's identity and what it serves. Whoever holds run/provisioner.lock acts alone: another control plane, or
// deploy/down.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "control-plane/provision/driver.h"

namespace sluice::provision {

inline constexpr int64_t kMaxLogBytes = 64 << 20;  // at a node's start; then the log becomes NAME.log.1
inline constexpr Duration kReadyTimeout = std::chrono::milliseconds(500);

struct ProcessOptions {
  std::string program;  // sluice-data-plane
  std::string state;    // folder
  std::string prefix;   // of names
  std::string control_planes;            // host:port,...
  PortPlan ports;                        // HTTP and HTTPS on every address, operations on loopback
  std::vector<std::string> arguments;    // further ones, of every node
  std::vector<std::string> watched;      // files: a node that was started before one changed is outdated
  std::function<bool(const std::string& pem)> is_member;  // whether a node's certificate is still good
};

std::unique_ptr<Driver> MakeProcessDriver(ProcessOptions options, const Clock& clock);

}  // namespace sluice::provision
