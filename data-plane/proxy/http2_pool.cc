#include "data-plane/proxy/http2_pool.h"

#include <algorithm>

#include "data-plane/proxy/limits.h"

namespace sluice::proxy {

void Http2Pool::Clear() {
  for (auto& [key, bucket] : buckets_) {
    for (const auto& connection : bucket.connections) connection->Disown();
  }
  buckets_.clear();
}

std::shared_ptr<Http2UpstreamConnection> Http2Pool::Find(const PoolKey& key) {
  const auto bucket = buckets_.find(key);
  if (bucket == buckets_.end()) return nullptr;
  for (const auto& connection : bucket->second.connections) {
    if (connection->capacity() > 0) return connection;
  }
  return nullptr;
}

bool Http2Pool::WantsMore(const PoolKey& key) const {
  const auto bucket = buckets_.find(key);
  if (bucket == buckets_.end()) return true;
  const auto& connections = bucket->second.connections;
  const auto fresh = std::count_if(connections.begin(), connections.end(), [](const auto& c) { return !c->settled(); });
  const size_t coming = bucket->second.opening + static_cast<size_t>(fresh);
  return bucket->second.waiters.size() >= coming * http::kHttp2MaxStreams;
}

io::Task<DialError> Http2Pool::Wait(const PoolKey& key, MonotonicTime deadline, io::Cancellation& cancellation) {
  Waiter waiter(loop_);
  buckets_[key].waiters.push_back(&waiter);
  const io::Cancellation::Scope scope(&cancellation, [&waiter] { waiter.woken.Set(); });
  const bool woken = co_await waiter.woken.Wait(deadline);
  if (woken && !cancellation.cancelled()) co_return waiter.error;
  Bucket& bucket = buckets_[key];
  const bool was_next = std::erase(bucket.waiters, &waiter) == 0;
  if (was_next) Wake(bucket, 1, waiter.error);
  Tidy(key);
  co_return woken ? DialError::kClientGone : DialError::kTimeout;
}

void Http2Pool::Wake(Bucket& bucket, size_t count, DialError error) {
  for (; count > 0 && !bucket.waiters.empty(); --count) {
    Waiter* const waiter = bucket.waiters.front();
    bucket.waiters.pop_front();
    waiter->error = error;
    waiter->woken.Set();
  }
}

// An attempt that fails fails for all who waited for it. What has just opened wakes them once it is settled (OnRoom).
void Http2Pool::Opened(const PoolKey& key, DialError error) {
  const auto found = buckets_.find(key);
  if (found == buckets_.end()) return;  // cleared
  Bucket& bucket = found->second;
  --bucket.opening;
  if (error == DialError::kClientGone) error = DialError::kNone;
  if (error != DialError::kNone || bucket.connections.empty()) Wake(bucket, bucket.waiters.size(), error);
  Tidy(key);
}

void Http2Pool::NoteHttp1(const PoolKey& key) {
  if (http1_.size() >= kMaxHttp1Origins) http1_.clear();
  http1_.insert(key);
}

void Http2Pool::Add(std::shared_ptr<Http2UpstreamConnection> connection) {
  http1_.erase(connection->key());
  buckets_[connection->key()].connections.push_back(std::move(connection));
}

// Those who wait look again: one of them will open the next connection.
void Http2Pool::Remove(Http2UpstreamConnection& connection) {
  const auto found = buckets_.find(connection.key());
  if (found == buckets_.end()) return;
  Bucket& bucket = found->second;
  std::erase_if(bucket.connections, [&](const auto& kept) { return kept.get() == &connection; });
  const bool never_spoke = !connection.settled() && connection.lost();
  Wake(bucket, bucket.waiters.size(), never_spoke ? DialError::kRefused : DialError::kNone);
  if (bucket.connections.empty() && bucket.opening == 0) buckets_.erase(found);
}

void Http2Pool::OnRoom(Http2UpstreamConnection& connection) {
  const auto bucket = buckets_.find(connection.key());
  if (bucket != buckets_.end()) Wake(bucket->second, connection.capacity(), DialError::kNone);
}

void Http2Pool::Tidy(const PoolKey& key) {
  const auto bucket = buckets_.find(key);
  if (bucket == buckets_.end()) return;
  const Bucket& at = bucket->second;
  if (at.connections.empty() && at.waiters.empty() && at.opening == 0) buckets_.erase(bucket);
}

size_t Http2Pool::idle() const {
  size_t count = 0;
  for (const auto& [key, bucket] : buckets_) {
    const auto& all = bucket.connections;
    count += static_cast<size_t>(std::count_if(all.begin(), all.end(), [](const auto& c) { return !c->busy(); }));
  }
  return count;
}

bool Http2Pool::EvictOne(uint64_t gateway) {
  for (const auto& [key, bucket] : buckets_) {
    if (key.gateway != gateway) continue;
    for (const auto& connection : bucket.connections) {
      if (connection->busy()) continue;
      const std::shared_ptr<Http2UpstreamConnection> evicted = connection;
      evicted->Close();
      return true;
    }
  }
  return false;
}

void Http2Pool::EvictAll(uint64_t gateway) {
  std::vector<std::shared_ptr<Http2UpstreamConnection>> all;
  for (const auto& [key, bucket] : buckets_) {
    if (key.gateway == gateway) all.insert(all.end(), bucket.connections.begin(), bucket.connections.end());
  }
  for (const auto& connection : all) connection->Drain();
  absl::erase_if(http1_, [&](const PoolKey& key) { return key.gateway == gateway; });
}

}  // namespace sluice::proxy
