#pragma once

// The HTTP/2 connections of one worker that take requests, and who waits for room on one. Keyed like UpstreamPool:
// gateways never share one. Its worker's thread only.

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "data-plane/io/loop.h"
#include "data-plane/proxy/dialer.h"
#include "data-plane/proxy/http2_upstream_connection.h"

namespace sluice::proxy {

class Http2Pool {
 public:
  explicit Http2Pool(io::Loop& loop) : loop_(loop) {}
  Http2Pool(const Http2Pool&) = delete;

  // Null where none has room.
  std::shared_ptr<Http2UpstreamConnection> Find(const PoolKey& key);
  bool Has(const PoolKey& key) const { return buckets_.contains(key) && !buckets_.at(key).connections.empty(); }
  // Whether another connection is worth opening: those on their way will not have room for all who wait.
  bool WantsMore(const PoolKey& key) const;
  // Until there may be room (kNone: look again), or what was waited for failed, or `deadline`, or it was cancelled
  // (kClientGone).
  io::Task<DialError> Wait(const PoolKey& key, MonotonicTime deadline, io::Cancellation& cancellation);

  // A connection is being opened. Done with kNone where that succeeded, whatever version was agreed. Where it was
  // cancelled, those who waited look again.
  void Opening(const PoolKey& key) { ++buckets_[key].opening; }
  void Opened(const PoolKey& key, DialError error);
  // By ALPN the upstream chose HTTP/1.1: nobody needs to wait for connections there.
  void NoteHttp1(const PoolKey& key);
  bool IsHttp1(const PoolKey& key) const { return http1_.contains(key); }

  // Called by connections.
  void Add(std::shared_ptr<Http2UpstreamConnection> connection);
  void Remove(Http2UpstreamConnection& connection);
  void OnRoom(Http2UpstreamConnection& connection);

  // Connections without requests.
  size_t idle() const;

  // Closes one without requests, to make room in the gateway's plan. False where there is none.
  bool EvictOne(uint64_t gateway);
  // Those of a gateway that is gone end with their last requests.
  void EvictAll(uint64_t gateway);
  // The worker ends.
  void Clear();

 private:
  struct Waiter {
    explicit Waiter(io::Loop& loop) : woken(loop) {}
    io::Event woken;
    DialError error = DialError::kNone;
  };
  struct Bucket {
    std::vector<std::shared_ptr<Http2UpstreamConnection>> connections;
    std::deque<Waiter*> waiters;  // at most a plan's max_pending_per_target: the dialer counts
    size_t opening = 0;
  };
  static void Wake(Bucket& bucket, size_t count, DialError error);
  void Tidy(const PoolKey& key);

  io::Loop& loop_;
  absl::flat_hash_map<PoolKey, Bucket> buckets_;
  absl::flat_hash_set<PoolKey> http1_;
};

}  // namespace sluice::proxy
