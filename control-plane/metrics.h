#pragma once

// What Prometheus reads of the control plane: numbers that others keep, read when it asks. Callable from every thread.

#include <prometheus/collectable.h>

#include <atomic>
#include <vector>

#include "common/rpc/request_counter.h"
#include "common/rpc/server.h"
#include "control-plane/index/index.h"
#include "control-plane/lease/cells.h"
#include "control-plane/placement/directory.h"
#include "control-plane/provision/provisioner.h"
#include "control-plane/sync/registry.h"
#include "control-plane/sync/service.h"

namespace sluice {

// Everything referred to outlives the metrics.
struct MetricSources {
  const index::Index& index;
  const sync::Registry& registry;
  const sync::Totals& sync;
  const rpc::RequestCounter& requests;
  const rpc::Server& admin_server;
  const rpc::Server& sync_server;
  const std::atomic<bool>& store_up;
  const placement::Directory& cells;
  lease::Cells& leases;
  const provision::ProvisionTotals* provision;  // null: nodes are others' business
};

class Metrics final : public prometheus::Collectable {
 public:
  explicit Metrics(const MetricSources& sources) : sources_(sources) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const MetricSources sources_;
};

}  // namespace sluice
