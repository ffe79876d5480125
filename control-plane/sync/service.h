#pragma once

// The Sync service: one stream a node over mutual TLS, fed from the index (feed.h), reporting to the registry.
// Callbacks run on gRPC's threads and never block on the database. One object for the control plane; Shutdown before
// its server goes.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "common/base/clock.h"
#include "control-plane/fleet/trust.h"
#include "control-plane/index/index.h"
#include "control-plane/sync/feed.h"
#include "control-plane/sync/herd.h"
#include "control-plane/sync/recorder.h"
#include "control-plane/sync/registry.h"
#include "control-plane/sync/usage_keeper.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace sluice::sync {

inline constexpr size_t kMaxStreams = 1024;          // of a replica; further nodes are told to try elsewhere
inline constexpr int kConnectionAgeMs = 30 * 60'000;  // then nodes reconnect, and spread over the replicas anew
inline constexpr int kConnectionGraceMs = 10'000;

inline constexpr auto kShutdownWait = std::chrono::seconds(2);

struct Totals {
  std::atomic<uint64_t> updates{0};
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> full_syncs{0};
  std::atomic<uint64_t> refused_streams{0};
  std::atomic<uint64_t> nodes_ahead{0};  // streams of nodes that held more than the database had
};

// Everything referred to outlives the service.
struct ServiceDeps {
  index::Index& index;
  Registry& registry;
  Recorder& recorder;
  UsageKeeper& usage;
  const Clock& clock;
  const fleet::Trust& trust;
  FeedSettings settings;
  size_t max_streams = kMaxStreams;
  HerdLimits herd = {};
};

class Service {
 public:
  static std::unique_ptr<Service> Make(ServiceDeps deps);
  virtual ~Service() = default;
  virtual grpc::Service& grpc() = 0;
  virtual const Totals& totals() const = 0;
  // Ends the streams of nodes whose certificates are not good any more (expired, revoked, of a retired authority), and
  // tells the others whom to trust.
  virtual void Recheck() = 0;
  // Ends every stream with UNAVAILABLE, refuses new ones, and returns when the last is gone, at the latest after
  // kShutdownWait.
  virtual void Shutdown() = 0;
};

}  // namespace sluice::sync
