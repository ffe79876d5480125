#include "control-plane/metrics.h"

#include <prometheus/metric_family.h>

#include <string>
#include <tuple>
#include <utility>

#include "common/base/text.h"
#include "common/base/version.h"

namespace sluice {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

ClientMetric Value(MetricType type, double value, Labels labels) {
  ClientMetric metric;
  metric.label = std::move(labels);
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return metric;
}

MetricFamily Family(MetricType type, const std::string& name, const std::string& help) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  return family;
}

MetricFamily Single(MetricType type, const std::string& name, const std::string& help, double value,
                    Labels labels = {}) {
  MetricFamily family = Family(type, name, help);
  family.metric.push_back(Value(type, value, std::move(labels)));
  return family;
}

MetricFamily Gauge(const std::string& name, const std::string& help, double value) {
  return Single(MetricType::Gauge, name, help, value);
}

MetricFamily Counter(const std::string& name, const std::string& help, uint64_t value) {
  return Single(MetricType::Counter, name, help, static_cast<double>(value));
}

MetricFamily Requests(const rpc::RequestCounter& requests) {
  MetricFamily family =
      Family(MetricType::Counter, "sluice_rpc_requests_total", "Calls that ended, by method and code.");
  for (const auto& [key, count] : requests.counts()) {
    family.metric.push_back(
        Value(MetricType::Counter, static_cast<double>(count), {{"method", key.first}, {"code", key.second}}));
  }
  return family;
}

MetricFamily Applied(const std::vector<sync::NodeStatus>& nodes) {
  MetricFamily family =
      Family(MetricType::Gauge, "sluice_node_applied_revision", "How far each connected node has got.");
  for (const sync::NodeStatus& node : nodes) {
    family.metric.push_back(Value(MetricType::Gauge, static_cast<double>(node.applied), {{"node", node.name}}));
  }
  return family;
}

MetricFamily Refused(const rpc::Server& admin, const rpc::Server& sync) {
  MetricFamily family =
      Family(MetricType::Counter, "sluice_rpc_refused_connections_total", "Connections closed for want of room.");
  for (const auto& [port, server] : {std::pair("admin", &admin), std::pair("sync", &sync)}) {
    const double value = static_cast<double>(server->refused_connections());
    family.metric.push_back(Value(MetricType::Counter, value, {{"port", port}}));
  }
  return family;
}

void AddCells(const std::vector<placement::Cell>& cells, std::vector<MetricFamily>& families) {
  MetricFamily gateways =
      Family(MetricType::Gauge, "sluice_cell_gateways", "Serverless gateways of the cell, those on their way too.");
  MetricFamily leaving =
      Family(MetricType::Gauge, "sluice_cell_leaving_gateways", "Gateways that the cell serves while they move away.");
  MetricFamily nodes = Family(MetricType::Gauge, "sluice_cell_nodes", "Connected nodes, to any replica.");
  for (const placement::Cell& cell : cells) {
    const Labels labels = {{"cell", cell.row.name}};
    gateways.metric.push_back(Value(MetricType::Gauge, static_cast<double>(cell.load.gateways), labels));
    leaving.metric.push_back(Value(MetricType::Gauge, static_cast<double>(cell.load.leaving), labels));
    nodes.metric.push_back(Value(MetricType::Gauge, static_cast<double>(cell.connected), labels));
  }
  families.insert(families.end(), {gateways, leaving, nodes});
}

void AddProvision(const provision::ProvisionTotals& totals, std::vector<MetricFamily>& families) {
  families.push_back(Gauge("sluice_provisioner_wanted_nodes",
                           "Nodes that there are to be; 0 where another replica leads.", totals.wanted));
  MetricFamily nodes = Family(MetricType::Gauge, "sluice_provisioner_nodes", "Nodes of the provisioner, by state.");
  nodes.metric.push_back(Value(MetricType::Gauge, totals.running, {{"state", "running"}}));
  nodes.metric.push_back(Value(MetricType::Gauge, totals.ready, {{"state", "ready"}}));
  families.push_back(std::move(nodes));
  families.push_back(Gauge("sluice_provisioner_pending_nodes", "Nodes that are not yet as they are to be.",
                           totals.pending));
  for (const auto& [name, help, count] :
       {std::tuple("turns", "Times that it looked at its nodes.", &totals.turns),
        std::tuple("starts", "Nodes started, for whatever reason.", &totals.starts),
        std::tuple("restarts", "Nodes started again because they had ended by themselves.", &totals.restarts),
        std::tuple("replacements", "Nodes told to end because they were outdated.", &totals.replacements),
        std::tuple("removals", "Nodes taken off the fleet.", &totals.removals),
        std::tuple("errors", "Calls of its driver or the database that failed.", &totals.errors)}) {
    families.push_back(Counter(Cat("sluice_provisioner_", name, "_total"), help, *count));
  }
}

void AddLeases(lease::Cells& cells, std::vector<MetricFamily>& families) {
  MetricFamily owner =
      Family(MetricType::Gauge, "sluice_cell_owner", "1 while this replica allocates the shares of the cell's limits.");
  MetricFamily leases = Family(MetricType::Gauge, "sluice_cell_leased_gateways",
                               "Gateways whose limit moves between the cell's nodes as it is asked for.");
  for (lease::Cell* cell : cells.All()) {
    const Labels labels = {{"cell", cell->name()}};
    owner.metric.push_back(Value(MetricType::Gauge, cell->leads() ? 1 : 0, labels));
    leases.metric.push_back(Value(MetricType::Gauge, static_cast<double>(cell->leases()), labels));
  }
  families.insert(families.end(), {owner, leases});
}

double Rejections(const std::vector<sync::NodeStatus>& nodes) {
  size_t count = 0;
  for (const sync::NodeStatus& node : nodes) count += node.rejected.size();
  return static_cast<double>(count);
}

}  // namespace

std::vector<MetricFamily> Metrics::Collect() const {
  const std::vector<sync::NodeStatus> nodes = sources_.registry.LocalNodes();
  std::vector<MetricFamily> families;
  families.push_back(Single(MetricType::Gauge, "sluice_build_info", "Always 1.", 1, {{"version", kVersion}}));
  families.push_back(Gauge("sluice_store_up", "1 while the database answers.", sources_.store_up ? 1 : 0));
  families.push_back(Gauge("sluice_head_revision", "The latest change that is served.",
                           static_cast<double>(sources_.index.head())));
  families.push_back(Gauge("sluice_connected_nodes", "Nodes with a stream here.", static_cast<double>(nodes.size())));
  families.push_back(Gauge("sluice_replicas", "Replicas of the control plane that are up, as this one sees them.",
                           static_cast<double>(sources_.registry.other_replicas() + 1)));
  families.push_back(Gauge("sluice_rejected_gateways", "Gateways that a connected node could not take, one a node.",
                           Rejections(nodes)));
  families.push_back(Applied(nodes));
  AddCells(sources_.cells.Cells(), families);
  AddLeases(sources_.leases, families);
  families.push_back(Counter("sluice_sync_updates_total", "Gateway updates sent to nodes.", sources_.sync.updates));
  families.push_back(Counter("sluice_sync_sent_bytes_total", "Bytes of messages sent to nodes.", sources_.sync.bytes));
  families.push_back(
      Counter("sluice_sync_full_total", "Streams that began with everything.", sources_.sync.full_syncs));
  families.push_back(
      Counter("sluice_sync_refused_streams_total", "Streams that were turned away.", sources_.sync.refused_streams));
  families.push_back(Counter("sluice_sync_nodes_ahead_total",
                             "Streams of nodes that held more than the database: it was restored to the past.",
                             sources_.sync.nodes_ahead));
  families.push_back(Gauge("sluice_unreadable_gateways",
                           "Gateways whose configuration does not open with the keys that are here.",
                           static_cast<double>(sources_.index.unreadable())));
  families.push_back(Refused(sources_.admin_server, sources_.sync_server));
  families.push_back(Requests(sources_.requests));
  if (sources_.provision != nullptr) AddProvision(*sources_.provision, families);
  std::erase_if(families, [](const MetricFamily& family) { return family.metric.empty(); });
  return families;
}

}  // namespace sluice
