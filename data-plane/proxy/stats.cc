#include "data-plane/proxy/stats.h"

#include <algorithm>

namespace sluice::proxy {

void Histogram::Observe(Duration value) {
  const int64_t micros = std::chrono::duration_cast<std::chrono::microseconds>(value).count();
  const auto bound = std::lower_bound(kBoundsMicros.begin(), kBoundsMicros.end(), micros);
  ++counts_[bound - kBoundsMicros.begin()];
  sum_nanos_ += value.count();
}

void Histogram::Add(const Histogram& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  sum_nanos_ += other.sum_nanos_;
}

void GatewayCounts::Add(const GatewayCounts& other) {
  if (name.empty()) name = other.name;
  for (size_t i = 0; i < requests_by_class.size(); ++i) requests_by_class[i] += other.requests_by_class[i];
  refused += other.refused;
  limited += other.limited;
  too_large += other.too_large;
  request_bytes += other.request_bytes;
  response_bytes += other.response_bytes;
}

void Stats::CountRequest(const Exchange& exchange) {
  const int status = exchange.status > 0 && exchange.status < kMaxStatus ? exchange.status : 0;
  ++requests[static_cast<size_t>(exchange.source)][status];
  if (!exchange.reject_reason.empty()) ++rejected[std::string(exchange.reject_reason)];
  request_bytes += exchange.request_bytes;
  response_bytes += exchange.response_bytes;
  const Duration whole = exchange.ended - exchange.started;
  total.Observe(whole);
  const bool answered = exchange.upstream_answered != MonotonicTime{};
  overhead.Observe(answered ? whole - (exchange.upstream_answered - exchange.upstream_sent) : whole);
  if (exchange.gateway == nullptr) return;
  GatewayCounts& counts = CountsOf(exchange.gateway->id());
  if (counts.name.empty()) counts.name = exchange.gateway->name();
  ++counts.requests_by_class[std::min(status / 100, 5)];
  if (!exchange.reject_reason.empty()) ++counts.refused;
  if (exchange.reject_reason == "rate-limit") ++counts.limited;
  if (!exchange.reject_reason.empty() && status == 413) ++counts.too_large;
  counts.request_bytes += exchange.request_bytes;
  counts.response_bytes += exchange.response_bytes;
}

void Stats::CountNotLoaded(const std::string& gateway_id) {
  GatewayCounts& counts = CountsOf(gateway_id);
  ++counts.requests_by_class[5];
  ++counts.refused;
}

GatewayCounts& Stats::CountsOf(const std::string& gateway_id) {
  const auto found = gateways.find(gateway_id);
  if (found != gateways.end()) return found->second;
  return gateways.size() < kMaxGateways ? gateways[gateway_id] : untracked;
}

void Stats::Add(const Stats& other) {
  for (size_t source = 0; source < kSources; ++source) {
    for (int status = 0; status < kMaxStatus; ++status) requests[source][status] += other.requests[source][status];
  }
  for (const auto& [reason, count] : other.rejected) rejected[reason] += count;
  for (const auto& [id, counts] : other.gateways) gateways[id].Add(counts);
  untracked.Add(other.untracked);
  total.Add(other.total);
  overhead.Add(other.overhead);
  request_bytes += other.request_bytes;
  response_bytes += other.response_bytes;
  connections_accepted += other.connections_accepted;
  connections_refused_address += other.connections_refused_address;
  connections_refused_gateway += other.connections_refused_gateway;
  connections_refused_proxy_header += other.connections_refused_proxy_header;
  http2_connections += other.http2_connections;
  http2_streams_refused += other.http2_streams_refused;
  http2_floods += other.http2_floods;
  connections_refused_total += other.connections_refused_total;
  connections_refused_descriptors += other.connections_refused_descriptors;
  connections_ended_idle += other.connections_ended_idle;
  connections_ended_age += other.connections_ended_age;
  connections_ended_requests += other.connections_ended_requests;
  writes_stalled += other.writes_stalled;
  tls_handshakes += other.tls_handshakes;
  tls_handshake_failures += other.tls_handshake_failures;
  connections_open += other.connections_open;
  requests_in_flight += other.requests_in_flight;
  upstream_idle += other.upstream_idle;
  upstream_opened += other.upstream_opened;
  upstream_reused += other.upstream_reused;
  names_delayed += other.names_delayed;
  gateways_served = std::max(gateways_served, other.gateways_served);
  gateways_awake = std::max(gateways_awake, other.gateways_awake);
  loads_awaited += other.loads_awaited;
  loads_timed_out += other.loads_timed_out;
  plugin_log_delivered += other.plugin_log_delivered;
  plugin_log_dropped += other.plugin_log_dropped;
  for (size_t i = 0; i < kDialErrors; ++i) dials[i] += other.dials[i];
  retries += other.retries;
  retries_refused += other.retries_refused;
  targets_healthy += other.targets_healthy;
  targets_unhealthy += other.targets_unhealthy;
  for (const auto& [id, count] : other.unhealthy_by_gateway) unhealthy_by_gateway[id] += count;
  targets_recovered += other.targets_recovered;
  targets_failed += other.targets_failed;
  checks_passed += other.checks_passed;
  checks_failed += other.checks_failed;
  checks_undecided += other.checks_undecided;
}

}  // namespace sluice::proxy
