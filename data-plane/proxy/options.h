#pragma once

// What a data plane is started with. Plain values; main() or a test fills them in.

#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "data-plane/io/stream.h"
#include "data-plane/io/tls.h"
#include "data-plane/proxy/connection_limits.h"
#include "data-plane/proxy/limits.h"

namespace sluice::proxy {

struct Options {
  std::string node = "node-1";
  int workers = 0;                           // 0: one a core
  std::optional<io::Endpoint> http;          // port 0 takes a free one
  std::optional<io::Endpoint> https;         // needs `certificates`
  std::vector<io::CertificateFiles> certificates;
  std::string resolvers;                     // "address[:port]" list, "" for /etc/resolv.conf
  std::string access_log = "off";            // a path, "-", "off"
  size_t max_connections = 0;                // 0: half the descriptors
  size_t max_connections_per_address = kMaxConnectionsPerAddress;
  uint64_t max_requests_per_connection = kMaxRequestsPerConnection;
  Times times;
  const Clock* clock = nullptr;              // null: the system's
};

}  // namespace sluice::proxy
