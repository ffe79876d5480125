#include "data-plane/proxy/worker.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "common/base/random.h"
#include "data-plane/plugin/log_queue.h"
#include "data-plane/proxy/client_address.h"
#include "data-plane/proxy/client_connection.h"
#include "data-plane/proxy/connection.h"
#include "data-plane/proxy/http2_pool.h"

namespace sluice::proxy {
namespace {

// splitmix64 (Steele, Lea, Flood 2014): good enough for identifiers and jitter, which are no secrets.
uint64_t Mix(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// "00" to "ff".
constexpr auto kHexPairs = [] {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (size_t byte = 0; byte < 256; ++byte) pairs[byte] = {kDigits[byte >> 4], kDigits[byte & 15]};
  return pairs;
}();

}  // namespace

Worker::Worker(int index, Shared& shared)
    : index_(index),
      shared_(shared),
      loop_(std::make_unique<io::Loop>()),
      loading_(*loop_, shared.options.loader, shared.options.max_load_waits),
      balancer_(static_cast<size_t>(index)),
      pool_(std::make_unique<UpstreamPool>(*loop_, shared.options.times.upstream_idle)),
      http2_pool_(std::make_unique<Http2Pool>(*loop_)),
      resolver_(io::Resolver::Make(*loop_, shared.options.resolvers, ShareOf(io::kMaxQueriesPerAsker))),
      log_queues_(std::make_unique<LogQueues>(*this)),
      health_(std::make_unique<HealthChecker>(*this, shared.workers)),
      scratch_(kScratchBytes) {
  RandomBytes(random_.data(), sizeof random_);
}

Worker::~Worker() {
  StopAndJoin();
  listeners_.clear();
  log_queues_.reset();
  health_.reset();
  pool_->Clear();
  http2_pool_->Clear();
  resolver_.reset();
  loop_.reset();  // with every coroutine that was still suspended; they may use what is left
}

absl::Status Worker::Listen(std::optional<io::Endpoint>& http, std::optional<io::Endpoint>& https) {
  for (const bool tls : {false, true}) {
    std::optional<io::Endpoint>& at = tls ? https : http;
    if (!at.has_value()) continue;
    auto accept = [this, tls](io::Accepted accepted) { Accept(std::move(accepted), tls); };
    auto listener = io::Listener::Open(*loop_, *at, accept);
    if (!listener.ok()) return listener.status();
    at->port = (*listener)->port();
    listeners_.push_back(std::move(*listener));
  }
  return absl::OkStatus();
}

void Worker::Start() {
  thread_ = std::thread([this] { loop_->Run(); });
}

void Worker::StopAndJoin() {
  if (!thread_.joinable()) return;
  loop_->Stop();
  thread_.join();
}

void Worker::Accept(io::Accepted accepted, bool tls) {
  Admission admission(shared_.connections);
  if (!admission.Enter()) {
    ++stats_.connections_refused_total;
    close(accepted.fd);
    return;
  }
  // Behind a load balancer the client's own address counts, once its header has named it.
  const bool proxied = IsWithin(shared_.options.proxy_protocol_from, accepted.peer.address);
  if (!proxied && !admission.EnterAddress(accepted.peer.address)) {
    ++stats_.connections_refused_address;
    close(accepted.fd);
    return;
  }
  ++stats_.connections_accepted;
  Arrival arrival{.accepted = std::move(accepted),
                  .admission = std::move(admission),
                  .proxied = proxied,
                  .tls = tls ? shared_.server_tls : nullptr};
  loop_->Spawn(ServeConnection(*this, std::move(arrival)));
}

void Worker::Apply(const std::vector<GatewayChange>& changes) {
  for (const GatewayChange& change : changes) {
    balancer_.Forget(change.gateway_id);
    health_->Apply(change);
    std::shared_ptr<const Gateway> gone;
    if (change.gateway != nullptr) {
      hosts_.Put(change.gateway);
    } else {
      gone = change.head != nullptr ? hosts_.Put(change.head) : hosts_.Remove(change.gateway_id);
    }
    if (gone != nullptr) {
      pool_->EvictAll(gone->state().serial);
      http2_pool_->EvictAll(gone->state().serial);
    }
    loading_.Wake(change.gateway_id);
  }
}

Stats Worker::Snapshot() {
  stats_.connections_open = connections_.size();
  stats_.upstream_idle = pool_->idle() + http2_pool_->idle();
  stats_.upstream_opened = pool_->opened;
  stats_.upstream_reused = pool_->reused;
  stats_.names_delayed = resolver_->delayed();
  stats_.gateways_awake = hosts_.loaded();
  stats_.gateways_served = options().are_heads_served ? hosts_.size() : hosts_.loaded();
  stats_.plugin_log_delivered = log_queues_->delivered();
  stats_.plugin_log_dropped = log_queues_->dropped();
  health_->Count(stats_);
  stats_.connections_refused_descriptors = refused_before_;
  for (const auto& listener : listeners_) stats_.connections_refused_descriptors += listener->refused();
  return stats_;
}

size_t Worker::FlushLogs() {
  log_queues_->Flush();
  return log_queues_->queues();
}

void Worker::CloseListeners() {
  for (const auto& listener : listeners_) refused_before_ += listener->refused();
  listeners_.clear();
}

void Worker::CloseIdleConnections() {
  for (ClientConnection* connection : connections_) connection->CloseIfIdle();
}

bool Worker::EvictIdle(uint64_t gateway) {
  return pool_->EvictOne(gateway) || http2_pool_->EvictOne(gateway);
}

bool Worker::EvictIdleElsewhere(uint64_t gateway) {
  for (Worker* other : shared_.all) {
    if (other != this) other->Post([other, gateway] { other->EvictIdle(gateway); });
  }
  return shared_.all.size() > 1;
}

size_t Worker::ShareOf(size_t max) const {
  return std::max<size_t>(1, max / shared_.workers);
}

std::string Worker::NewRequestId() {
  std::string id(32, '0');
  for (size_t half = 0; half < 2; ++half) {
    uint64_t bits = Mix(random_[half]);
    for (size_t i = 0; i < 16; i += 2, bits >>= 8) std::memcpy(&id[half * 16 + i], kHexPairs[bits & 255].data(), 2);
  }
  return id;
}

double Worker::Jitter() {
  return static_cast<double>(Mix(random_[0]) >> 11) / 9007199254740992.0;
}

void Worker::LogAccess(const Exchange& exchange) {
  if (!shared_.access_log.enabled()) return;
  line_.clear();
  AppendAccessLine(exchange, shared_.options.node, line_);
  shared_.access_log.ring(index_).Push(line_);
}

}  // namespace sluice::proxy
