#include "data-plane/sync/applier.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "common/observe/log.h"

namespace sluice::sync {
namespace {

std::vector<egress::Range> ParseRanges(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::vector<egress::Range> ranges;
  for (const std::string& text : texts) {
    absl::StatusOr<egress::Range> range = egress::ParseRange(text);
    if (range.ok()) {
      ranges.push_back(*range);
    } else {
      log::Error("the control plane sent an address range that does not parse", {{"range", text}});
    }
  }
  return ranges;
}

std::string Reason(const absl::Status& status) {
  const std::optional<absl::Cord> reason = status.GetPayload("sluice/reason");
  return reason.has_value() ? std::string(*reason) : "INVALID";
}

}  // namespace

Applier::Applier(Publisher& publisher, std::span<const PluginType> plugins, Status& status, const Clock& clock,
                 Changed changed)
    : publisher_(publisher), plugins_(plugins), status_(status), clock_(clock), changed_(std::move(changed)) {
  fleet_.set_nodes(1);
}

void Applier::Load(const v1::Snapshot& snapshot) {
  SetFleet(snapshot.fleet());
  Replies dropped;  // nobody to tell yet; what is rejected now is sent again, since the cursor lies before it
  for (const v1::GatewayUpdate& gateway : snapshot.gateways()) pending_.push_back(gateway);
  Flush(dropped);
  epoch_ = snapshot.epoch();
  revision_ = snapshot.revision();
  status_.revision = revision_;
  status_.source = Status::Source::kDisk;
  publisher_.SetReady();
}

v1::Resume Applier::Resume() const {
  v1::Resume resume;
  resume.set_epoch(epoch_);
  resume.set_revision(revision_);
  return resume;
}

std::vector<v1::NodeMessage> Applier::Handle(const v1::ControlMessage& message) {
  Replies replies;
  switch (message.message_case()) {
    case v1::ControlMessage::kWelcome:
      OnWelcome(message.welcome(), replies);
      break;
    case v1::ControlMessage::kUpdate:
      OnUpdate(message.update());
      if (pending_.size() >= kMaxBatch) Flush(replies);
      break;
    case v1::ControlMessage::kCaughtUp:
      OnCaughtUp(message.caught_up().revision(), replies);
      break;
    case v1::ControlMessage::MESSAGE_NOT_SET:
      break;  // a newer control plane's message; the contract lets it be
  }
  return replies;
}

void Applier::OnWelcome(const v1::Welcome& welcome, Replies& replies) {
  pending_.clear();
  named_.clear();
  sweeping_ = welcome.full();
  if (welcome.full()) {
    // Another line of revisions: none of the numbers held compares with what comes.
    for (auto& [id, held] : held_) held.revision = 0;
    rejected_.clear();
    revision_ = 0;
  }
  epoch_ = welcome.epoch();
  if (welcome.fleet().SerializeAsString() != fleet_.SerializeAsString()) {
    SetFleet(welcome.fleet());
    Recompile(replies);
  }
  for (const auto& [id, rejected] : rejected_) *replies.emplace_back().mutable_rejected() = rejected;
}

void Applier::OnUpdate(v1::GatewayUpdate update) {
  if (sweeping_) named_.insert(update.gateway_id());
  const auto held = held_.find(update.gateway_id());
  if (held != held_.end() && update.revision() <= held->second.revision) return;
  pending_.push_back(std::move(update));
}

void Applier::OnCaughtUp(int64_t revision, Replies& replies) {
  if (sweeping_) {
    for (const auto& [id, held] : held_) {
      if (named_.contains(id)) continue;
      v1::GatewayUpdate gone;
      gone.set_gateway_id(id);
      gone.set_revision(revision);
      gone.set_removed(true);
      pending_.push_back(std::move(gone));
    }
    sweeping_ = false;
    named_.clear();
  }
  const bool changed = !pending_.empty() || revision != revision_;
  Flush(replies);
  revision_ = revision;
  status_.revision = revision;
  status_.in_step_at = UnixSeconds(clock_.WallNow());
  status_.source = Status::Source::kStream;
  publisher_.SetReady();
  replies.emplace_back().mutable_applied()->set_revision(revision);
  if (changed) Keep();
}

void Applier::Flush(Replies& replies) {
  if (pending_.empty()) return;
  std::vector<GatewayChange> changes;
  for (v1::GatewayUpdate& update : pending_) Accept(update, changes, replies);
  pending_.clear();
  PublishAndWait(std::move(changes));
  status_.applied_at = UnixSeconds(clock_.WallNow());
  status_.gateways = static_cast<int64_t>(
      std::count_if(held_.begin(), held_.end(), [](const auto& entry) { return entry.second.config != nullptr; }));
  status_.rejected = static_cast<int64_t>(rejected_.size());
}

void Applier::Accept(v1::GatewayUpdate& update, std::vector<GatewayChange>& changes, Replies& replies) {
  ++status_.updates;
  const std::string& id = update.gateway_id();
  if (update.removed()) {
    held_.erase(id);
    rejected_.erase(id);
    changes.push_back({id, nullptr});
    return;
  }
  Held& held = held_[id];
  if (held.state == nullptr) held.state = std::make_shared<GatewayState>();
  auto gateway = Compile(id, update.config(), held.state);
  held.revision = update.revision();
  if (!gateway.ok()) {
    Reject(id, update.revision(), gateway.status(), replies);
    return;
  }
  rejected_.erase(id);
  held.config = std::make_shared<const std::string>(std::move(*update.mutable_config()));
  changes.push_back({id, *std::move(gateway)});
}

absl::StatusOr<std::shared_ptr<const Gateway>> Applier::Compile(const std::string& id, const std::string& config,
                                                                std::shared_ptr<GatewayState> state) const {
  config::v1::GatewayConfig parsed;
  if (!parsed.ParseFromString(config)) return absl::InvalidArgumentError("the configuration does not parse");
  if (parsed.id() != id) return absl::InvalidArgumentError("the configuration is another gateway's");
  return Gateway::Compile(parsed, plugins_, rules_, std::move(state));
}

void Applier::Reject(const std::string& id, int64_t revision, const absl::Status& why, Replies& replies) {
  ++status_.rejections;
  v1::Rejected& rejected = rejected_[id];
  rejected.set_gateway_id(id);
  rejected.set_revision(revision);
  rejected.set_reason(Reason(why));
  rejected.set_message(std::string(why.message()));
  *replies.emplace_back().mutable_rejected() = rejected;
  log::Warning("an update was rejected; the gateway keeps its last good configuration",
               {{"gateway", id}, {"reason", rejected.reason()}, {"error", rejected.message()}});
}

void Applier::Recompile(Replies& replies) {
  std::vector<GatewayChange> changes;
  for (auto& [id, held] : held_) {
    if (held.config == nullptr) continue;
    auto gateway = Compile(id, *held.config, held.state);
    if (gateway.ok()) {
      changes.push_back({id, *std::move(gateway)});
    } else {
      Reject(id, held.revision, gateway.status(), replies);
    }
  }
  PublishAndWait(std::move(changes));
}

void Applier::PublishAndWait(std::vector<GatewayChange> changes) {
  if (changes.empty()) return;
  std::mutex mutex;
  std::condition_variable swapped;
  bool done = false;
  publisher_.Publish(std::move(changes), [&] {
    std::lock_guard lock(mutex);
    done = true;
    swapped.notify_all();
  });
  std::unique_lock lock(mutex);
  swapped.wait(lock, [&] { return done; });
}

void Applier::Keep() {
  struct Kept {
    std::string id;
    int64_t revision;
    std::shared_ptr<const std::string> config;
  };
  auto gateways = std::make_shared<std::vector<Kept>>();
  for (const auto& [id, held] : held_) {
    if (held.config != nullptr) gateways->push_back({id, held.revision, held.config});
  }
  int64_t cursor = revision_;
  for (const auto& [id, rejected] : rejected_) cursor = std::min(cursor, rejected.revision() - 1);
  changed_([gateways, cursor, epoch = epoch_, fleet = fleet_] {
    v1::Snapshot snapshot;
    snapshot.set_epoch(epoch);
    snapshot.set_revision(cursor);
    *snapshot.mutable_fleet() = fleet;
    for (const Kept& kept : *gateways) {
      v1::GatewayUpdate& gateway = *snapshot.add_gateways();
      gateway.set_gateway_id(kept.id);
      gateway.set_revision(std::min(kept.revision, cursor));
      gateway.set_config(*kept.config);
    }
    return snapshot;
  });
}

void Applier::SetFleet(const v1::Fleet& fleet) {
  fleet_ = fleet;
  rules_.nodes = std::max<uint32_t>(fleet.nodes(), 1);
  rules_.protect = ParseRanges(fleet.protect());
  rules_.egress_allow = ParseRanges(fleet.egress_allow());
}

}  // namespace sluice::sync
