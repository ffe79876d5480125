#pragma once

// Connections to upstreams that wait for their next request, last in first out. Keyed by the gateway as well as by the
// place: gateways never share one. One per worker; its thread only.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "data-plane/io/loop.h"
#include "data-plane/io/stream.h"
#include "data-plane/io/tls.h"
#include "data-plane/limit/slot.h"
#include "data-plane/proxy/limits.h"
#include "data-plane/proxy/reader.h"

namespace sluice::proxy {

struct PoolKey {
  uint64_t gateway = 0;  // GatewayState::serial
  std::string address;
  uint16_t port = 0;
  bool tls = false;
  std::string server_name;  // of TLS
  std::string tls_rules;    // their fingerprint: what is verified and shown
  bool operator==(const PoolKey&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const PoolKey& key) {
    return H::combine(std::move(h), key.gateway, key.address, key.port);  // the rest seldom differs beside these
  }
};

class UpstreamPool;

struct UpstreamConnection {
  UpstreamConnection(std::unique_ptr<io::Stream> opened, std::span<char> scratch, PoolKey at, limit::Slot counted)
      : stream(std::move(opened)), reader(*stream, scratch), key(std::move(at)), slot(std::move(counted)) {}
  std::unique_ptr<io::Stream> stream;
  Reader reader;
  PoolKey key;
  limit::Slot slot;  // of the gateway's upstream connections
  uint64_t uses = 0;

 private:
  friend class UpstreamPool;
  UpstreamPool* pool_ = nullptr;
  io::Timer idle_;
};

class UpstreamPool {
 public:
  UpstreamPool(io::Loop& loop, Duration idle) : loop_(loop), idle_(idle) {}
  UpstreamPool(const UpstreamPool&) = delete;

  // Null where none waits that still can be used.
  std::unique_ptr<UpstreamConnection> Take(const PoolKey& key);
  // Both directions must be fully consumed. Closes it where enough are kept already. `jitter` in [0, 1) shortens its
  // stay by up to a tenth.
  void Give(std::unique_ptr<UpstreamConnection> connection, double jitter);
  // Closes one that waits for that gateway, to make room in its plan. False where none does.
  bool EvictOne(uint64_t gateway);
  void EvictAll(uint64_t gateway);
  void Clear() { buckets_.clear(); }

  // What connections to that place resume from. Never null.
  std::shared_ptr<io::TlsSession> TlsSessionFor(const PoolKey& key);

  size_t idle() const { return size_; }
  size_t opened = 0;
  size_t reused = 0;

 private:
  using Bucket = std::vector<std::unique_ptr<UpstreamConnection>>;
  static void OnIdle(void* connection);
  io::Loop& loop_;
  const Duration idle_;
  absl::flat_hash_map<PoolKey, Bucket> buckets_;
  absl::flat_hash_map<PoolKey, std::shared_ptr<io::TlsSession>> tls_sessions_;
  size_t size_ = 0;
};

}  // namespace sluice::proxy
