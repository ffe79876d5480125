#pragma once

// What a worker counts. A worker's own thread alone writes, so nothing is locked or shared; a scrape asks each worker
// for a copy and adds the copies up (WorkerGroup::Collect).

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "data-plane/plugin/exchange.h"
#include "data-plane/proxy/dialer.h"

namespace sluice::proxy {

// Counts per bucket, not cumulative; the last one is whatever exceeded the largest bound.
class Histogram {
 public:
  static constexpr std::array<int64_t, 15> kBoundsMicros = {100,     250,     500,       1'000,     2'500,
                                                            5'000,   10'000,  25'000,    50'000,    100'000,
                                                            250'000, 500'000, 1'000'000, 2'500'000, 10'000'000};
  void Observe(Duration value);
  void Add(const Histogram& other);
  const std::array<uint64_t, kBoundsMicros.size() + 1>& counts() const { return counts_; }
  double sum_seconds() const { return static_cast<double>(sum_nanos_) / 1e9; }

 private:
  std::array<uint64_t, kBoundsMicros.size() + 1> counts_{};
  int64_t sum_nanos_ = 0;
};

struct GatewayCounts {
  std::string name;
  std::array<uint64_t, 6> requests_by_class{};  // [1]..[5]: 1xx..5xx, [0]: no answer was sent
  uint64_t refused = 0;                         // by this node, for any reason
  uint64_t limited = 0;                         // of these: by the request limit
  uint64_t too_large = 0;                       // of these: 413
  uint64_t request_bytes = 0;
  uint64_t response_bytes = 0;
  uint64_t requests() const {
    uint64_t sum = 0;
    for (uint64_t count : requests_by_class) sum += count;
    return sum;
  }
  void Add(const GatewayCounts& other);
};

struct Stats {
  static constexpr size_t kMaxGateways = 10'000;  // with counts of their own; requests of more count in no gateway
  static constexpr int kMaxStatus = 600;
  static constexpr size_t kSources = 3;
  static constexpr size_t kDialErrors = 11;

  static constexpr size_t kMaxUnhealthyGateways = 100;  // named, of each worker

  void CountRequest(const Exchange& exchange);
  // A request that is refused because its gateway was not loaded in time: CountRequest cannot tell whose it was.
  void CountNotLoaded(const std::string& gateway_id);
  void CountDial(DialError error) { ++dials[static_cast<size_t>(error)]; }
  void Add(const Stats& other);

  GatewayCounts& CountsOf(const std::string& gateway_id);

  std::array<std::array<uint64_t, kMaxStatus>, kSources> requests{};  // by source and status; 0: none was sent
  absl::flat_hash_map<std::string, uint64_t> rejected;                // by reason
  absl::flat_hash_map<std::string, GatewayCounts> gateways;           // by id
  GatewayCounts untracked;
  Histogram total;
  Histogram overhead;  // total without the time spent waiting for the upstream
  uint64_t request_bytes = 0;
  uint64_t response_bytes = 0;
  uint64_t connections_accepted = 0;
  uint64_t connections_refused_address = 0;
  uint64_t connections_refused_gateway = 0;
  uint64_t connections_refused_proxy_header = 0;
  uint64_t http2_connections = 0;
  uint64_t http2_streams_refused = 0;  // of connections that had as many as they may
  uint64_t http2_floods = 0;  // connections ended for what their client made us do for little
  uint64_t connections_refused_total = 0;
  uint64_t connections_refused_descriptors = 0;
  uint64_t connections_ended_idle = 0;  // for the time between requests
  uint64_t connections_ended_age = 0;
  uint64_t connections_ended_requests = 0;  // for how many they have carried
  uint64_t writes_stalled = 0;              // by clients that took nothing for too long
  uint64_t tls_handshakes = 0;
  uint64_t tls_handshake_failures = 0;
  uint64_t connections_open = 0;    // now
  uint64_t requests_in_flight = 0;  // now
  uint64_t upstream_idle = 0;       // now
  uint64_t upstream_opened = 0;
  uint64_t upstream_reused = 0;
  uint64_t names_delayed = 0;       // questions that had to wait for others of their gateway
  uint64_t gateways_served = 0;  // now, the largest of the workers
  uint64_t gateways_awake = 0;   // of these: compiled; the same
  uint64_t loads_awaited = 0;    // requests whose gateway had to be loaded first
  uint64_t loads_timed_out = 0;  // of these: for which it was not in time
  uint64_t plugin_log_delivered = 0;
  uint64_t plugin_log_dropped = 0;
  std::array<uint64_t, kDialErrors> dials{};  // by outcome
  uint64_t retries = 0;
  uint64_t retries_refused = 0;                                     // by the gateway's budget
  uint64_t targets_healthy = 0;                                     // now, of upstreams with health checks
  uint64_t targets_unhealthy = 0;                                   // now
  absl::flat_hash_map<std::string, uint64_t> unhealthy_by_gateway;  // now, by id
  uint64_t targets_recovered = 0;
  uint64_t targets_failed = 0;
  uint64_t checks_passed = 0;
  uint64_t checks_failed = 0;
  uint64_t checks_undecided = 0;  // could not be made, or told nothing
};

}  // namespace sluice::proxy
