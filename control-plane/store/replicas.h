#pragma once

// The control plane's replicas as each other sees them, and the nodes that are connected to each: the tables `replicas`
// and `connected_nodes`. On a connection of its own, which listens for what the others write. One thread at a time;
// calls block.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control-plane/store/store.h"

namespace sluice::store {

struct ReplicaRecord {
  std::string id;
  std::string address;  // where nodes find it
  int64_t head = 0;     // of its index, before its nodes were listed
};

struct ConnectedNode {
  std::string replica;  // id
  std::string name;
  std::string build;
  std::string address;
  int64_t applied = 0;
  WallTime connected;
  WallTime last_seen;
  std::string rejected;  // serialised sluice.sync.v1.Rejections
  Scope scope = Scope::OfCell(kDefaultCell);
};

struct OtherReplicas {
  std::vector<ReplicaRecord> replicas;
  std::vector<ConnectedNode> nodes;  // at least as new as the heads
};

class Replicas {
 public:
  static std::unique_ptr<Replicas> Make(const Options& options);
  virtual ~Replicas() = default;

  // This replica lives, and its nodes are as before but for `put` and `gone`; rings the others. True: the database knew
  // nothing of this replica, so that the nodes of before have to be put again.
  virtual absl::StatusOr<bool> Report(const ReplicaRecord& self, const std::vector<ConnectedNode>& put,
                                      const std::vector<std::string>& gone) = 0;
  // Those but `self` that reported within `expiry`.
  virtual absl::StatusOr<OtherReplicas> Others(const std::string& self, Duration expiry) = 0;
  // Replicas that have not reported for `age`, and their nodes, are forgotten; `self` whatever its age, where age is 0.
  virtual absl::Status Forget(const std::string& self, Duration age) = 0;

  // Whether a replica has reported since the last call. To be asked before waiting on the descriptor, which is readable
  // when another report arrives or the connection ends; -1: not connected.
  virtual bool Rung() = 0;
  virtual int descriptor() = 0;
};

}  // namespace sluice::store
