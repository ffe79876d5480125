#include "data-plane/ops/metrics.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"

namespace sluice::ops {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

class Families {
 public:
  void Begin(std::string name, std::string help, MetricType type) {
    MetricFamily family;
    family.name = std::move(name);
    family.help = std::move(help);
    family.type = type;
    list_.push_back(std::move(family));
  }
  void Value(double value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (list_.back().type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    list_.back().metric.push_back(std::move(metric));
  }
  void Counter(std::string name, std::string help, double value) {
    Begin(std::move(name), std::move(help), MetricType::Counter);
    Value(value);
  }
  void Gauge(std::string name, std::string help, double value) {
    Begin(std::move(name), std::move(help), MetricType::Gauge);
    Value(value);
  }
  void Histogram(std::string name, std::string help, const proxy::Histogram& histogram) {
    Begin(std::move(name), std::move(help), MetricType::Histogram);
    ClientMetric metric;
    uint64_t cumulative = 0;
    for (size_t i = 0; i < histogram.counts().size(); ++i) {
      cumulative += histogram.counts()[i];
      const bool bounded = i < proxy::Histogram::kBoundsMicros.size();
      const double bound = bounded ? static_cast<double>(proxy::Histogram::kBoundsMicros[i]) / 1e6
                                   : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({.cumulative_count = cumulative, .upper_bound = bound});
    }
    metric.histogram.sample_count = cumulative;
    metric.histogram.sample_sum = histogram.sum_seconds();
    list_.back().metric.push_back(std::move(metric));
  }
  std::string Text() const { return prometheus::TextSerializer().Serialize(list_); }

 private:
  std::vector<MetricFamily> list_;
};

void AddRequests(const proxy::Stats& stats, Families& out) {
  static constexpr const char* kSources[] = {"upstream", "gateway", "plugin"};
  out.Begin("sluice_requests_total", "Requests by status and by who made the answer; code 0 where none could be sent.",
            MetricType::Counter);
  for (size_t source = 0; source < proxy::Stats::kSources; ++source) {
    for (int status = 0; status < proxy::Stats::kMaxStatus; ++status) {
      const uint64_t count = stats.requests[source][status];
      if (count > 0) out.Value(count, {{"code", std::to_string(status)}, {"source", kSources[source]}});
    }
  }
  out.Begin("sluice_rejected_requests_total", "Requests that were refused or could not be served, by reason.",
            MetricType::Counter);
  for (const auto& [reason, count] : stats.rejected) out.Value(count, {{"reason", reason}});
  out.Gauge("sluice_requests_in_flight", "Requests being served now.", stats.requests_in_flight);
  out.Histogram("sluice_request_duration_seconds", "From a request's complete head to the end of its answer.",
                stats.total);
  out.Histogram("sluice_request_overhead_seconds",
                "The same without the time between sending upstream and the upstream's answer.", stats.overhead);
  out.Counter("sluice_request_bytes_total", "Bytes received of requests, heads included.", stats.request_bytes);
  out.Counter("sluice_response_bytes_total", "Bytes sent of responses, heads included.", stats.response_bytes);
}

void AddConnections(const proxy::Stats& stats, Families& out) {
  out.Counter("sluice_connections_accepted_total", "Client connections accepted.", stats.connections_accepted);
  out.Begin("sluice_connections_refused_total", "Client connections closed at once, by reason.", MetricType::Counter);
  out.Value(stats.connections_refused_address, {{"reason", "client-address"}});
  out.Value(stats.connections_refused_gateway, {{"reason", "gateway"}});
  out.Value(stats.connections_refused_proxy_header, {{"reason", "proxy-header"}});
  out.Value(stats.connections_refused_total, {{"reason", "total"}});
  out.Value(stats.connections_refused_descriptors, {{"reason", "descriptors"}});
  out.Begin("sluice_connections_ended_total", "Client connections ended for what they may last, by reason.",
            MetricType::Counter);
  out.Value(stats.connections_ended_idle, {{"reason", "idle"}});
  out.Value(stats.connections_ended_age, {{"reason", "age"}});
  out.Value(stats.connections_ended_requests, {{"reason", "requests"}});
  out.Counter("sluice_client_write_stalls_total", "Answers cut because their client took nothing of them for too long.",
              stats.writes_stalled);
  out.Counter("sluice_http2_connections_total", "Client connections over HTTP/2.", stats.http2_connections);
  out.Counter("sluice_http2_streams_refused_total", "HTTP/2 streams refused because their connection had too many.",
              stats.http2_streams_refused);
  out.Counter("sluice_http2_floods_total", "HTTP/2 connections ended for resets, control frames or header blocks.",
              stats.http2_floods);
  out.Gauge("sluice_connections_open", "Client connections open now.", stats.connections_open);
  out.Begin("sluice_tls_handshakes_total", "TLS handshakes with clients, by result.", MetricType::Counter);
  out.Value(stats.tls_handshakes, {{"result", "ok"}});
  out.Value(stats.tls_handshake_failures, {{"result", "failed"}});
}

void AddUpstreams(const proxy::Stats& stats, Families& out) {
  out.Counter("sluice_upstream_connections_opened_total", "Connections opened to upstreams.", stats.upstream_opened);
  out.Counter("sluice_upstream_connections_reused_total", "Requests sent over a connection that had waited.",
              stats.upstream_reused);
  out.Gauge("sluice_upstream_connections_idle", "Upstream connections waiting for a request now.", stats.upstream_idle);
  out.Counter("sluice_name_queries_delayed_total",
              "Questions for names that waited because their gateway had as many under way as it may.",
              stats.names_delayed);
  out.Begin("sluice_upstream_dials_total", "Attempts to open a connection to an upstream, by outcome.",
            MetricType::Counter);
  absl::flat_hash_map<std::string, uint64_t> outcomes;
  for (size_t i = 0; i < proxy::Stats::kDialErrors; ++i) {
    const std::string_view name = proxy::ToString(static_cast<proxy::DialError>(i));
    outcomes[name.empty() ? "ok" : std::string(name)] += stats.dials[i];
  }
  for (const auto& [outcome, count] : outcomes) out.Value(count, {{"outcome", outcome}});
}

// The gateways with the most unhealthy targets, as many as have labels elsewhere.
std::vector<std::pair<std::string, uint64_t>> MostUnhealthy(const proxy::Stats& stats) {
  std::vector<std::pair<std::string, uint64_t>> rows(stats.unhealthy_by_gateway.begin(),
                                                     stats.unhealthy_by_gateway.end());
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (rows.size() > kMaxGatewayLabels) rows.resize(kMaxGatewayLabels);
  return rows;
}

void AddTargets(const proxy::Stats& stats, Families& out) {
  out.Begin("sluice_upstream_targets", "Targets of upstreams with health checks now, by health.", MetricType::Gauge);
  out.Value(stats.targets_healthy, {{"health", "healthy"}});
  out.Value(stats.targets_unhealthy, {{"health", "unhealthy"}});
  out.Begin("sluice_gateway_unhealthy_targets", "Unhealthy targets now, of the gateways that have the most.",
            MetricType::Gauge);
  for (const auto& [gateway, count] : MostUnhealthy(stats)) out.Value(count, {{"gateway", gateway}});
  out.Begin("sluice_upstream_target_changes_total", "Times a target became healthy or unhealthy.", MetricType::Counter);
  out.Value(stats.targets_recovered, {{"to", "healthy"}});
  out.Value(stats.targets_failed, {{"to", "unhealthy"}});
  out.Begin("sluice_health_checks_total", "Active health checks, by what they found.", MetricType::Counter);
  out.Value(stats.checks_passed, {{"result", "passed"}});
  out.Value(stats.checks_failed, {{"result", "failed"}});
  out.Value(stats.checks_undecided, {{"result", "undecided"}});
  out.Begin("sluice_upstream_retries_total",
            "Requests tried again, and those for which the gateway's budget was spent.", MetricType::Counter);
  out.Value(stats.retries, {{"outcome", "retried"}});
  out.Value(stats.retries_refused, {{"outcome", "refused"}});
}

void AddGateways(const BusiestGateways& gateways, Families& out) {
  const std::vector<BusiestGateways::Row> rows = gateways.Rows();
  static constexpr const char* kClasses[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  const auto labels = [](const BusiestGateways::Row& row) {
    return Labels{{"gateway", row.gateway}, {"name", row.counts.name}};
  };
  out.Begin("sluice_gateway_requests_total",
            "Requests of the busiest gateways, by class of status; all others together as \"other\".",
            MetricType::Counter);
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.counts.requests_by_class.size(); ++i) {
      if (row.counts.requests_by_class[i] == 0) continue;
      Labels with_class = labels(row);
      with_class.push_back({"class", kClasses[i]});
      out.Value(row.counts.requests_by_class[i], std::move(with_class));
    }
  }
  out.Begin("sluice_gateway_limited_requests_total", "Requests beyond a gateway's request limit.", MetricType::Counter);
  for (const auto& row : rows) out.Value(row.counts.limited, labels(row));
  out.Begin("sluice_gateway_request_bytes_total", "Bytes received of a gateway's requests.", MetricType::Counter);
  for (const auto& row : rows) out.Value(row.counts.request_bytes, labels(row));
  out.Begin("sluice_gateway_response_bytes_total", "Bytes sent of a gateway's responses.", MetricType::Counter);
  for (const auto& row : rows) out.Value(row.counts.response_bytes, labels(row));
}

void AddConfiguration(const sync::Status& sync, const NodeFacts& facts, Families& out) {
  const int64_t in_step = sync.in_step_at.load();
  out.Gauge("sluice_config_revision", "The fleet's revision that every worker serves.", sync.revision.load());
  if (in_step > 0) {
    out.Gauge("sluice_config_age_seconds", "Since the node last knew that it served everything there was.",
              std::max<int64_t>(0, facts.now - in_step));
  }
  out.Gauge("sluice_control_plane_connected", "1 while the stream to the control plane stands.", sync.connected.load());
  out.Counter("sluice_control_plane_reconnects_total", "Times the stream to the control plane was opened again.",
              sync.reconnects.load());
  out.Counter("sluice_config_updates_total", "Changes of gateways that were received.", sync.updates.load());
  out.Counter("sluice_config_rejections_total", "Changes of gateways that this node could not serve.",
              sync.rejections.load());
  out.Gauge("sluice_gateways_rejected", "Gateways whose latest change this node could not serve.",
            sync.rejected.load());
  out.Counter("sluice_snapshot_failures_total", "Times the last good configuration could not be written to disk.",
              sync.snapshot_failures.load());
  out.Gauge("sluice_snapshot_timestamp_seconds", "When the last good configuration was written to disk; 0 for never.",
            sync.snapshot_at.load());
}

void AddWorkingSet(const proxy::Stats& stats, const sync::Status& sync, Families& out) {
  out.Gauge("sluice_gateways_known", "Gateways that this node serves, or would fetch at the first request.",
            static_cast<double>(sync.known.load()));
  out.Gauge("sluice_gateways_awake", "Gateways that this node serves and that do not rest until they are asked for.",
            stats.gateways_awake);
  out.Counter("sluice_gateway_wakes_total", "Gateways at rest that were compiled because a request needed them.",
              static_cast<double>(sync.wakes.load()));
  out.Counter("sluice_gateway_fetches_total", "Configurations that were asked for because a request needed them.",
              static_cast<double>(sync.fetches.load()));
  out.Counter("sluice_gateway_evictions_total", "Configurations that the working set had no room for any more.",
              static_cast<double>(sync.evictions.load()));
  out.Counter("sluice_gateway_load_waits_total", "Requests whose gateway had to be loaded first.", stats.loads_awaited);
  out.Counter("sluice_gateway_load_timeouts_total", "Of these: answered with 503, as it was not loaded in time.",
              stats.loads_timed_out);
}

void AddMembership(const sync::Status& sync, const NodeFacts& facts, Families& out) {
  if (const int64_t expires = sync.certificate_expires_at.load(); expires > 0) {
    out.Gauge("sluice_certificate_seconds_to_expiry", "Of the node's own certificate; negative once it has expired.",
              static_cast<double>(expires - facts.now));
  }
  out.Counter("sluice_certificates_obtained_total", "Certificates that the node was given, by joining or renewing.",
              static_cast<double>(sync.certificate_renewals.load()));
  out.Counter("sluice_certificate_failures_total", "Times the node tried to join or to renew its certificate in vain.",
              static_cast<double>(sync.certificate_failures.load()));
}

}  // namespace

std::string RenderMetrics(const proxy::Stats& stats, const sync::Status& sync, const NodeFacts& facts,
                          const BusiestGateways& gateways) {
  Families out;
  out.Begin("sluice_build_info", "1, with the program's version and the node's name.", MetricType::Gauge);
  out.Value(1, {{"version", facts.version}, {"node", facts.node}});
  out.Gauge("sluice_ready", "1 while the node serves and is not draining.", facts.ready);
  out.Gauge("sluice_gateways", "Gateways that this node serves.", stats.gateways_served);
  AddRequests(stats, out);
  AddGateways(gateways, out);
  AddConnections(stats, out);
  AddUpstreams(stats, out);
  AddTargets(stats, out);
  AddConfiguration(sync, facts, out);
  AddWorkingSet(stats, sync, out);
  AddMembership(sync, facts, out);
  out.Counter("sluice_access_log_dropped_lines_total", "Lines of the access log that were not written.",
              facts.access_log_dropped);
  out.Begin("sluice_plugin_log_entries_total", "Log entries of plugins, by what became of them.", MetricType::Counter);
  out.Value(stats.plugin_log_delivered, {{"outcome", "delivered"}});
  out.Value(stats.plugin_log_dropped, {{"outcome", "dropped"}});
  return out.Text();
}

}  // namespace sluice::ops
