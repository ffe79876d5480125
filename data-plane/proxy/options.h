#pragma once

// What a data plane is started with. Plain values; main() or a test fills them in.

#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/egress/policy.h"
#include "data-plane/io/stream.h"
#include "data-plane/io/tls.h"
#include "data-plane/proxy/limits.h"
#include "data-plane/route/gateway_loader.h"

namespace sluice::proxy {

// Where a trusted proxy notes for whom it asks. One field alone: a proxy that writes the one passes on the other as its
// client wrote it.
enum class ClientAddressField : uint8_t { kXForwardedFor, kForwarded };

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
  size_t max_connections_per_gateway = kMaxConnectionsPerGateway;
  std::vector<egress::Range> proxy_protocol_from;  // peers that begin every connection with a PROXY header
  std::vector<egress::Range> trusted_proxies;      // peers whose word on their clients counts
  ClientAddressField client_address_field = ClientAddressField::kXForwardedFor;
  bool config_version_header = false;              // every answer of a gateway says which version of it made it
  uint64_t max_requests_per_connection = kMaxRequestsPerConnection;
  Times times;
  const Clock* clock = nullptr;              // null: the system's
  GatewayLoader* loader = nullptr;           // of gateways that are known by their heads; null: there are none
  size_t max_load_waits = kMaxLoadWaits;     // requests of a worker that wait for it
  bool are_heads_served = false;             // they are of gateways at rest, whose configurations the node has
};

}  // namespace sluice::proxy
