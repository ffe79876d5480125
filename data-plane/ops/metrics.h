#pragma once

// A node's metrics in Prometheus' text format. Names read sluice_<noun>_<unit>_total; units are seconds and bytes;
// every set of labels is bounded. Pure, but for the gateways' labels, which belong to the caller.

#include <cstdint>
#include <string>

#include "data-plane/ops/busiest_gateways.h"
#include "data-plane/proxy/stats.h"
#include "data-plane/sync/status.h"

namespace sluice::ops {

struct NodeFacts {
  std::string node;
  std::string version;  // of the program
  int64_t now = 0;      // Unix seconds
  bool ready = false;
  uint64_t access_log_dropped = 0;
};

std::string RenderMetrics(const proxy::Stats& stats, const sync::Status& sync, const NodeFacts& facts,
                          const BusiestGateways& gateways);

}  // namespace sluice::ops
