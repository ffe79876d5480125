#pragma once

// One worker: a loop on a thread of its own, with listeners, host table, upstream pool, resolver, counters and log
// queues that nobody else touches. Owned by the worker group. Everything but Start, Post and Join runs on the
// worker's thread.

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "data-plane/balance/balancer.h"
#include "data-plane/io/listener.h"
#include "data-plane/io/loop.h"
#include "data-plane/io/pipe.h"
#include "data-plane/io/resolver.h"
#include "data-plane/limit/keyed_count.h"
#include "data-plane/plugin/worker.h"
#include "data-plane/proxy/access_log.h"
#include "data-plane/proxy/connection_limits.h"
#include "data-plane/proxy/exchange.h"
#include "data-plane/proxy/health_checker.h"
#include "data-plane/proxy/loading.h"
#include "data-plane/proxy/options.h"
#include "data-plane/proxy/stats.h"
#include "data-plane/proxy/upstream_pool.h"
#include "data-plane/route/publisher.h"

namespace sluice::proxy {

class ClientConnection;
class Http2Pool;

// What the workers of a node share. Outlives them.
struct Shared {
  const Options& options;
  const Clock& clock;
  ConnectionLimits& connections;
  limit::KeyedCount<PoolKey> waiting_for_upstreams{};  // requests that wait for a connection, of each target
  AccessLog& access_log;
  const io::TlsServer* server_tls;  // null without HTTPS
  SSL_CTX* client_tls;
  int workers;
  std::vector<Worker*> all{};  // before any of them runs
  std::atomic<bool> ready{false};
  std::atomic<bool> draining{false};
};

class Worker final : public PluginWorker {
 public:
  Worker(int index, Shared& shared);
  ~Worker() override;

  // Before the thread runs. Ports that are 0 in `http` and `https` are filled in with the ones taken.
  absl::Status Listen(std::optional<io::Endpoint>& http, std::optional<io::Endpoint>& https);
  void Start();
  void Post(std::function<void()> work) { loop_->Post(std::move(work)); }
  void StopAndJoin();

  void Apply(const std::vector<GatewayChange>& changes);
  Stats Snapshot();
  void CloseListeners();
  void CloseIdleConnections();
  // Closes a connection to an upstream that waits for a request of that gateway (GatewayState::serial). False where
  // none does. At the other workers soon, where one does; false where there are no others.
  bool EvictIdle(uint64_t gateway);
  bool EvictIdleElsewhere(uint64_t gateway);
  // Ends what is under way, each exchange with its log line.
  void CutExchanges() { exchanges_.Cut(); }
  size_t connections() const { return connections_.size(); }
  // Sends what waits in the log queues without waiting for more; how many still have something.
  size_t FlushLogs();

  io::Loop& loop() override { return *loop_; }
  const Clock& clock() override { return shared_.clock; }
  int index() const override { return index_; }
  io::Task<HttpCallResult> Call(std::shared_ptr<const Gateway> gateway, HttpCall call) override;
  LogQueues& log_queues() override { return *log_queues_; }

  const HostTable& hosts() const { return hosts_; }
  Loading& loading() { return loading_; }
  UpstreamPool& pool() { return *pool_; }
  Http2Pool& http2_pool() { return *http2_pool_; }
  Balancer& balancer() { return balancer_; }
  HealthChecker& health() { return *health_; }
  io::Resolver& resolver() { return *resolver_; }
  Stats& stats() { return stats_; }
  SSL_CTX* client_tls() { return shared_.client_tls; }
  const Options& options() const { return shared_.options; }
  const Times& times() const { return shared_.options.times; }
  uint64_t max_requests_per_connection() const { return shared_.options.max_requests_per_connection; }
  limit::KeyedCount<PoolKey>& waiting_for_upstreams() { return shared_.waiting_for_upstreams; }
  bool ready() const { return shared_.ready.load(std::memory_order_relaxed); }
  bool draining() const { return shared_.draining.load(std::memory_order_relaxed); }
  // What of a node's bound this worker may use: an equal part, at least one.
  size_t ShareOf(size_t max) const;

  // For one read; for one message on its way out. Both are anybody's after the next suspension.
  std::span<char> scratch() { return scratch_; }
  std::string& out() { return out_; }

  io::PipePool& pipes() { return pipes_; }

  std::string NewRequestId();  // unique, not secret
  double Jitter();             // in [0, 1)
  uint64_t NextRotation() { return ++rotation_; }
  uint64_t NextConnection() { return ++connection_serial_; }

  void Enter(ClientConnection* connection) { connections_.insert(connection); }
  void Leave(ClientConnection* connection) { connections_.erase(connection); }
  ExchangeList& exchanges() { return exchanges_; }
  void LogAccess(const Exchange& exchange);

 private:
  void Accept(io::Accepted accepted, bool tls);

  const int index_;
  Shared& shared_;
  std::unique_ptr<io::Loop> loop_;
  HostTable hosts_;
  Loading loading_;
  Balancer balancer_;
  Stats stats_;
  std::unique_ptr<UpstreamPool> pool_;
  std::unique_ptr<Http2Pool> http2_pool_;
  std::unique_ptr<io::Resolver> resolver_;
  std::unique_ptr<LogQueues> log_queues_;
  std::unique_ptr<HealthChecker> health_;
  std::vector<std::unique_ptr<io::Listener>> listeners_;
  std::unordered_set<ClientConnection*> connections_;
  ExchangeList exchanges_;
  std::vector<char> scratch_;
  io::PipePool pipes_;
  std::string out_;
  std::string line_;
  std::array<uint64_t, 2> random_;
  uint64_t rotation_ = 0;
  uint64_t connection_serial_ = 0;
  uint64_t refused_before_ = 0;  // by listeners that are closed
  std::thread thread_;
};

}  // namespace sluice::proxy
