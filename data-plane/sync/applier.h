#pragma once

// The node's side of the sync protocol (proto/sluice/sync/v1/sync.proto), without gRPC: messages in, compiled gateways
// to the workers, reports out. Belongs to the sync thread.

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "common/config/config.h"
#include "data-plane/route/publisher.h"
#include "data-plane/route/share_keeper.h"
#include "data-plane/route/shared_parts.h"
#include "data-plane/sync/crash_guard.h"
#include "data-plane/sync/status.h"
#include "sluice/sync/v1/snapshot.pb.h"
#include "sluice/sync/v1/sync.pb.h"

namespace sluice::sync {

// Everything referred to must answer for as long as the applier is used.
struct ApplierDeps {
  Publisher& publisher;
  std::span<const PluginType> plugins;
  Status& status;
  const Clock& clock;
  // Runs after what is served has changed, with a function that makes the snapshot of it (callable from any thread).
  std::function<void(std::function<v1::Snapshot()>)> changed;
  ShareKeeper* shares = nullptr;  // null for a node that is alone
  CrashGuard* guard = nullptr;    // null for one that has no disk
};

class Applier {
 public:
  static constexpr size_t kMaxBatch = 1000;  // updates compiled before the workers are given them

  explicit Applier(ApplierDeps deps);

  // What the disk had. Before the first message; returns when every worker serves it.
  void Load(const v1::Snapshot& snapshot);

  // The first message of a stream, but for what describes the node.
  v1::Resume Resume() const;

  // Handles one message and returns what to answer, in order. Waits for the workers where it changes what they serve.
  std::vector<v1::NodeMessage> Handle(const v1::ControlMessage& message);

 private:
  struct Held {
    int64_t revision = 0;
    std::shared_ptr<const std::string> config;  // serialised; null: none was ever good
    std::shared_ptr<GatewayState> state;
  };
  // An update that could not be served, kept because other rules of the fleet may make it good.
  struct Refused {
    v1::Rejected report;
    std::shared_ptr<const std::string> config;
  };
  using Replies = std::vector<v1::NodeMessage>;
  using Update = CrashGuard::Candidate;  // without a configuration: removed
  using Changes = std::vector<GatewayChange>;
  using Bytes = std::shared_ptr<const std::string>;

  void OnWelcome(const v1::Welcome& welcome, Replies& replies);
  void OnUpdate(const v1::GatewayUpdate& update, Replies& replies);
  void OnCaughtUp(int64_t revision, Replies& replies);
  // Compiles what is pending and waits until every worker serves it.
  void Flush(Replies& replies);
  // Applies the updates in batches, each marked while it is tried, and without those that crashed the node.
  void Try(std::vector<Update> updates, const std::function<void(const Update&, Changes&)>& apply, Replies& replies);
  void TryTogether(std::vector<Update>& updates, const std::function<void(const Update&, Changes&)>& apply);
  void RejectCrashed(const Update& update, Replies& replies);
  // Everything again, under other rules.
  void RecompileAll(Replies& replies);
  // What was served once and is to be served on: where the rules have become stricter, it is reported and kept.
  void Restore(const std::string& id, Changes& changes, Replies& replies);
  void RetryRefused(const std::string& id, Changes& changes);
  void Accept(const Update& update, Changes& changes, Replies& replies);
  absl::StatusOr<std::shared_ptr<const Gateway>> Compile(const std::string& id, const std::string& bytes,
                                                         std::shared_ptr<GatewayState> state);
  void Reject(v1::Rejected report, Bytes config, Replies& replies);
  void PublishAndWait(Changes changes);
  std::shared_ptr<GatewayState> NewState() const;
  void CountGateways();
  void Keep();
  void SetFleet(const v1::Fleet& fleet);

  const ApplierDeps deps_;
  Status& status_;
  std::string epoch_;
  int64_t revision_ = 0;  // the cursor
  v1::Fleet fleet_;
  config::FleetRules rules_;
  SharedParts parts_;  // of these rules
  absl::flat_hash_map<std::string, Held> held_;
  std::map<std::string, Refused> refused_;  // by gateway, the latest
  std::vector<Update> pending_;
  bool dirty_ = false;     // the snapshot on disk is behind
  bool sweeping_ = false;  // between Welcome{full} and CaughtUp
  absl::flat_hash_set<std::string> named_;
};

}  // namespace sluice::sync
