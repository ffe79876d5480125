#pragma once

// What the control plane's replicas tell each other through the database: which nodes are connected to each and how
// far they have got, so that a change written here is known to be live on nodes that are connected elsewhere. While
// this replica is alone it reports seldom; with others, as soon as anything has changed, at most once in kInterval. A
// thread of its own; one object for the control plane.

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "control-plane/index/index.h"
#include "control-plane/store/replicas.h"
#include "control-plane/sync/registry.h"

namespace sluice::sync {

class Peers {
 public:
  static constexpr Duration kInterval = std::chrono::milliseconds(25);  // between two reports
  static constexpr Duration kHeartbeat = std::chrono::seconds(1);
  static constexpr Duration kExpiry = std::chrono::seconds(5);  // without a report; then its nodes are not waited for
  static constexpr Duration kForgetAge = std::chrono::minutes(1);

  // `self.head` is the index's. Everything referred to outlives it. To be made before nodes can connect: the others
  // know of this replica when it returns, unless the database is away.
  Peers(std::unique_ptr<store::Replicas> replicas, store::ReplicaRecord self, index::Index& index, Registry& registry);
  ~Peers();  // says goodbye
  Peers(const Peers&) = delete;

 private:
  void Run();
  bool Report();
  void Read();
  void Wait(MonotonicTime until);
  void Wake();

  const std::unique_ptr<store::Replicas> replicas_;
  store::ReplicaRecord self_;
  index::Index& index_;
  Registry& registry_;
  const int bell_;  // an eventfd
  int64_t watch_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<bool> asked_{true};
  std::atomic<bool> changed_{true};
  std::atomic<bool> alone_{true};
  std::map<std::string, store::ConnectedNode> reported_;  // the thread's, by node
  MonotonicTime forget_at_{};
  std::thread thread_;
};

}  // namespace sluice::sync
