#include "data-plane/proxy/upstream_pool.h"

#include <algorithm>

namespace sluice::proxy {

std::unique_ptr<UpstreamConnection> UpstreamPool::Take(const PoolKey& key) {
  auto bucket = buckets_.find(key);
  if (bucket == buckets_.end()) return nullptr;
  std::unique_ptr<UpstreamConnection> taken;
  while (taken == nullptr && !bucket->second.empty()) {
    taken = std::move(bucket->second.back());
    bucket->second.pop_back();
    --size_;
    taken->idle_.Disarm();
    if (taken->stream->IsStale()) taken.reset();
  }
  if (bucket->second.empty()) buckets_.erase(bucket);
  if (taken != nullptr) ++reused;
  return taken;
}

void UpstreamPool::Give(std::unique_ptr<UpstreamConnection> connection, double jitter) {
  if (size_ >= kMaxIdlePerWorker) return;
  Bucket& bucket = buckets_[connection->key];
  if (bucket.size() >= kMaxIdlePerKey) return;
  connection->reader.Hold();
  connection->pool_ = this;
  const auto stay = std::chrono::duration_cast<Duration>(idle_ * (1.0 - jitter / 10));
  connection->idle_.Arm(loop_, loop_.Now() + stay, &UpstreamPool::OnIdle, connection.get());
  bucket.push_back(std::move(connection));
  ++size_;
}

void UpstreamPool::OnIdle(void* context) {
  auto* connection = static_cast<UpstreamConnection*>(context);
  UpstreamPool& pool = *connection->pool_;
  auto bucket = pool.buckets_.find(connection->key);
  SLUICE_CHECK(bucket != pool.buckets_.end());
  std::erase_if(bucket->second, [&](const auto& kept) { return kept.get() == connection; });
  --pool.size_;
  if (bucket->second.empty()) pool.buckets_.erase(bucket);
}

bool UpstreamPool::EvictOne(uint64_t gateway) {
  for (auto bucket = buckets_.begin(); bucket != buckets_.end(); ++bucket) {
    if (bucket->first.gateway != gateway) continue;
    bucket->second.erase(bucket->second.begin());
    --size_;
    if (bucket->second.empty()) buckets_.erase(bucket);
    return true;
  }
  return false;
}

void UpstreamPool::EvictAll(uint64_t gateway) {
  while (EvictOne(gateway)) {
  }
  absl::erase_if(tls_sessions_, [&](const auto& entry) { return entry.first.gateway == gateway; });
}

std::shared_ptr<io::TlsSession> UpstreamPool::TlsSessionFor(const PoolKey& key) {
  if (tls_sessions_.size() >= kMaxTlsSessionsPerWorker && !tls_sessions_.contains(key)) {
    tls_sessions_.erase(tls_sessions_.begin());  // any one: it costs a full handshake
  }
  std::shared_ptr<io::TlsSession>& session = tls_sessions_[key];
  if (session == nullptr) session = std::make_shared<io::TlsSession>();
  return session;
}

}  // namespace sluice::proxy
