#pragma once

// The node's side of the sync protocol (proto/sluice/sync/v1/sync.proto), without gRPC: messages in, compiled gateways
// to the workers, reports out. Mostly the sync thread's; others awaken gateways and tidy up. All of it is behind one
// lock, and nobody waits for that lock on a request's behalf: who holds it for long looks after what requests wait for.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
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
#include "data-plane/sync/fetches.h"
#include "data-plane/sync/served.h"
#include "data-plane/sync/status.h"
#include "data-plane/sync/wakes.h"
#include "data-plane/sync/working_set.h"
#include "sluice/sync/v1/snapshot.pb.h"
#include "sluice/sync/v1/sync.pb.h"

namespace sluice::sync {

// Everything referred to must answer for as long as the applier is used.
struct ApplierDeps {
  Publisher& publisher;
  std::span<const PluginType> plugins;
  Status& status;
  const Clock& clock;
  // Runs after what is served has changed, with a function that makes the serialised snapshot of what is served by then
  // (callable from any thread). A change counts as applied before it is on the disk.
  std::function<void(std::function<std::string()>)> changed;
  ShareKeeper* shares = nullptr;  // null for a node that is alone
  CrashGuard* guard = nullptr;    // null for one that has no disk
  size_t working_set = 0;         // gateways whose configurations are held; 0: all of them, always
  Fetches* fetches = nullptr;     // not null with a working set
  Wakes* wakes = nullptr;         // not null: gateways that nobody asks for rest; not with a working set
  RestRules rest{};
  std::string build{};            // whose word on configurations counts: this one's
};

class Applier {
 public:
  static constexpr size_t kMaxBatch = 1000;  // updates that are applied together, and then reported
  // Compiled before the workers are given them and others have their turn: some milliseconds. One more may be larger.
  static constexpr size_t kMaxTried = 50;
  static constexpr size_t kMaxTriedBytes = 64 * 1024;
  static constexpr size_t kMaxRestingBytes = 32 * 1024;  // more takes more than some milliseconds, and does not rest
  // Configurations held at once by a node with a working set, those included that were used too lately to be let go of:
  // what it can name to a control plane in one message.
  static constexpr size_t kMaxHeld = 50'000;

  explicit Applier(ApplierDeps deps);

  // What the disk had. Before the first message; returns when every worker serves it.
  void Load(v1::Snapshot snapshot);

  // The first message of a stream, but for what describes the node.
  v1::Resume Resume();

  // Handles one message and returns what to answer, in order. Waits for the workers where it changes what they serve.
  std::vector<v1::NodeMessage> Handle(const v1::ControlMessage& message);
  // After Welcome: the stream is to be ended and opened again. This control plane knows no heads, and must send anew
  // what this node knows by nothing else.
  bool MustStartAnew() const { return start_anew_; }
  // The control plane is sent what workers wait for; see Fetches::Open.
  bool on_demand() const { return on_demand_; }
  // The stream has ended.
  void Disconnected();
  // Has the workers serve what they were asked for and is at rest.
  void Awaken();
  // Now and then: what nobody has asked for lately rests.
  void LetRest();
  // Now and then: lets go of what the working set has no room for, and returns what to say of it. Nothing is let go of
  // while no control plane is there to fetch it from again.
  std::vector<v1::NodeMessage> Tidy();

 private:
  struct Held {
    int64_t revision = 0;
    std::shared_ptr<const std::string> config;  // serialised; null: none was ever good
    std::shared_ptr<GatewayState> state;
    std::shared_ptr<const GatewayHead> head;  // where it is known by that alone
    std::shared_ptr<const GatewayHead> rest;  // what workers know of it while it rests; null: it never does
    uint32_t limit = 0;                       // requests a second
    bool stays = false;  // it has certificates, for which a handshake does not wait
    bool awake = false;  // the workers have it compiled
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
  void AcceptConfig(const Update& update, Changes& changes, Replies& replies);
  void Remove(const std::string& id, Changes& changes);
  // Of gateways at rest (applier_rest.cc).
  void Serve(const std::string& id, Held& held, std::shared_ptr<const Gateway> gateway, Changes& changes);
  bool RestsAtOnce(const Held& held) const;
  void SetAwake(const std::string& id, Held& held);
  bool IsSuspect(const std::string& config) const;
  bool AcceptAtRest(const Update& update, Changes& changes);
  void AddAtRest(const std::string& id, Held& held, const v1::Head& head, Changes& changes);
  void AwakenAsked();
  // Of a node that holds some configurations (applier_heads.cc).
  void LoadHeads(const v1::Snapshot& snapshot);
  void OnFetched(const v1::GatewayUpdate& update, Replies& replies);
  void AcceptHead(const std::string& id, int64_t revision, const v1::Head& head, Changes& changes);
  bool AcceptAsHead(const Update& update, Changes& changes);
  void RefuseFetched(const std::string& id, Held& held, Replies& replies);
  void Evict(const std::vector<std::string>& ids, Replies& replies);
  void DropStates();
  bool HasHeads() const;
  // Makes `config` what is served of the gateway; null: nothing.
  void Hold(const std::string& id, Held& held, Bytes config);
  absl::StatusOr<std::shared_ptr<const Gateway>> Compile(const std::string& id, const std::string& bytes,
                                                         std::shared_ptr<GatewayState> state);
  void Reject(v1::Rejected report, Bytes config, Replies& replies);
  void PublishAndWait(Changes changes);
  std::shared_ptr<GatewayState> NewState(const std::string& id) const;
  void CountGateways();
  Served::Entries TakeChanged();  // what is to be kept of them
  void Keep();
  void SetFleet(const v1::Fleet& fleet);

  const ApplierDeps deps_;
  std::mutex mutex_;  // of everything below
  Status& status_;
  std::string epoch_;
  int64_t revision_ = 0;  // the cursor
  v1::Fleet fleet_;
  config::FleetRules rules_;
  SharedParts parts_;  // of these rules
  bool rules_are_theirs_ = false;  // the control plane found good what this node would, and says so
  absl::flat_hash_map<std::string, Held> held_;
  std::map<std::string, Refused> refused_;  // by gateway, the latest
  std::vector<Update> pending_;
  const std::shared_ptr<Served> served_ = std::make_shared<Served>();
  absl::flat_hash_set<std::string> changed_;  // gateways, since `served_` was told
  bool dirty_ = false;     // the snapshot on disk is behind
  bool sweeping_ = false;  // between Welcome{full} and CaughtUp
  absl::flat_hash_set<std::string> named_;
  size_t held_configs_ = 0;
  WorkingSet working_set_;
  WorkingSet awake_;  // of those that may rest
  bool awakening_ = false;
  absl::flat_hash_map<std::string, MonotonicTime> parked_;  // heads that still have their state, and since when
  std::vector<std::string> unnamed_;  // held and not named in Resume, for want of room
  bool on_demand_ = false;            // the stream at hand is
  bool in_step_ = false;              // and has caught up
  bool start_anew_ = false;
};

v1::Head HeadOf(const config::v1::GatewayConfig& config);
std::shared_ptr<const GatewayHead> MakeHead(const std::string& id,
                                            const google::protobuf::RepeatedPtrField<std::string>& hosts);

absl::StatusOr<config::v1::GatewayConfig> ParseConfig(const std::string& id, const std::string& bytes);

}  // namespace sluice::sync
