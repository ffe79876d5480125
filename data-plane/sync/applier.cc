#include "data-plane/sync/applier.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "common/observe/log.h"
#include "data-plane/route/compile.h"

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

absl::StatusOr<config::v1::GatewayConfig> Parse(const std::string& id, const std::string& bytes) {
  config::v1::GatewayConfig config;
  if (!config.ParseFromString(bytes)) return ConfigError("INVALID", "config", "does not parse");
  if (config.id() != id) return ConfigError("INVALID", "id", "is another gateway's");
  return config;
}

v1::Rejected Report(const std::string& id, int64_t revision, const absl::Status& why) {
  v1::Rejected report;
  report.set_gateway_id(id);
  report.set_revision(revision);
  report.set_reason(ReasonOf(why));
  report.set_message(std::string(why.message()));
  return report;
}

}  // namespace

Applier::Applier(Publisher& publisher, std::span<const PluginType> plugins, Status& status, const Clock& clock,
                 Changed changed, ShareKeeper* shares)
    : publisher_(publisher),
      plugins_(plugins),
      status_(status),
      clock_(clock),
      changed_(std::move(changed)),
      shares_(shares) {}

void Applier::Load(const v1::Snapshot& snapshot) {
  SetFleet(snapshot.fleet());
  Replies later;  // there is nobody to tell yet: refusals are repeated behind each Welcome
  Changes changes;
  for (const v1::GatewayUpdate& gateway : snapshot.gateways()) {
    Held& held = held_[gateway.gateway_id()];
    held.revision = gateway.revision();
    held.config = std::make_shared<const std::string>(gateway.config());
    Restore(gateway.gateway_id(), changes, later);
    if (changes.size() >= kMaxBatch) PublishAndWait(std::exchange(changes, {}));
  }
  PublishAndWait(std::move(changes));
  CountGateways();
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
      OnUpdate(message.update(), replies);
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
    refused_.clear();
    revision_ = 0;
  }
  epoch_ = welcome.epoch();
  if (welcome.fleet().SerializeAsString() != fleet_.SerializeAsString()) {
    SetFleet(welcome.fleet());
    dirty_ = true;
    Replies repeated;
    RecompileAll(repeated);
  }
  for (const auto& [id, refused] : refused_) *replies.emplace_back().mutable_rejected() = refused.report;
}

void Applier::OnUpdate(v1::GatewayUpdate update, Replies& replies) {
  if (sweeping_) named_.insert(update.gateway_id());
  const auto held = held_.find(update.gateway_id());
  if (held != held_.end() && update.revision() <= held->second.revision) return;
  const int64_t revision = update.revision();
  pending_.push_back(std::move(update));
  if (pending_.size() < kMaxBatch) return;
  Flush(replies);
  // Until a sweep is over the cursor stays at the beginning: a stream that breaks off is followed by another full one.
  if (sweeping_) return;
  revision_ = revision;
  status_.revision = revision;
  replies.emplace_back().mutable_applied()->set_revision(revision);
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
  Flush(replies);
  dirty_ = dirty_ || revision != revision_;
  revision_ = revision;
  status_.revision = revision;
  status_.in_step_at = UnixSeconds(clock_.WallNow());
  status_.source = Status::Source::kStream;
  publisher_.SetReady();
  replies.emplace_back().mutable_applied()->set_revision(revision);
  if (std::exchange(dirty_, false)) Keep();
}

void Applier::Flush(Replies& replies) {
  if (pending_.empty()) return;
  Changes changes;
  for (v1::GatewayUpdate& update : pending_) Accept(update, changes, replies);
  pending_.clear();
  dirty_ = true;
  PublishAndWait(std::move(changes));
  status_.applied_at = UnixSeconds(clock_.WallNow());
  CountGateways();
}

std::shared_ptr<GatewayState> Applier::NewState() const {
  auto state = std::make_shared<GatewayState>();
  state->keeper = shares_;
  return state;
}

void Applier::CountGateways() {
  status_.gateways = static_cast<int64_t>(
      std::count_if(held_.begin(), held_.end(), [](const auto& entry) { return entry.second.config != nullptr; }));
  status_.rejected = static_cast<int64_t>(refused_.size());
}

void Applier::Accept(v1::GatewayUpdate& update, Changes& changes, Replies& replies) {
  ++status_.updates;
  const std::string& id = update.gateway_id();
  if (update.removed()) {
    held_.erase(id);
    refused_.erase(id);
    if (shares_ != nullptr) shares_->Detach(id);
    changes.push_back({id, nullptr});
    return;
  }
  Held& held = held_[id];
  held.revision = update.revision();
  const auto bytes = std::make_shared<const std::string>(std::move(*update.mutable_config()));
  if (held.state == nullptr) held.state = NewState();
  auto gateway = Compile(id, *bytes, held.state);
  if (!gateway.ok()) return Reject(Report(id, update.revision(), gateway.status()), bytes, replies);
  refused_.erase(id);
  held.config = bytes;
  changes.push_back({id, *std::move(gateway)});
}

absl::StatusOr<std::shared_ptr<const Gateway>> Applier::Compile(const std::string& id, const std::string& bytes,
                                                                std::shared_ptr<GatewayState> state) const {
  auto config = Parse(id, bytes);
  if (!config.ok()) return config.status();
  return Gateway::Compile(*config, plugins_, rules_, std::move(state));
}

void Applier::Reject(v1::Rejected report, Bytes config, Replies& replies) {
  ++status_.rejections;
  log::Warning("a configuration was rejected; its gateway keeps the last good one",
               {{"gateway", report.gateway_id()}, {"reason", report.reason()}, {"error", report.message()}});
  *replies.emplace_back().mutable_rejected() = report;
  refused_[report.gateway_id()] = {report, std::move(config)};
}

void Applier::RecompileAll(Replies& replies) {
  Changes changes;
  for (auto& [id, held] : held_) {
    if (!RetryRefused(id, held, changes) && held.config != nullptr) Restore(id, changes, replies);
    if (changes.size() >= kMaxBatch) PublishAndWait(std::exchange(changes, {}));
  }
  PublishAndWait(std::move(changes));
  CountGateways();
}

bool Applier::RetryRefused(const std::string& id, Held& held, Changes& changes) {
  const auto refused = refused_.find(id);
  if (refused == refused_.end()) return false;
  auto gateway = Compile(id, *refused->second.config, held.state);
  if (!gateway.ok()) return false;
  held.config = refused->second.config;
  refused_.erase(refused);
  changes.push_back({id, *std::move(gateway)});
  return true;
}

void Applier::Restore(const std::string& id, Changes& changes, Replies& replies) {
  Held& held = held_[id];
  if (held.state == nullptr) held.state = NewState();
  auto config = Parse(id, *held.config);
  if (!config.ok())
    return Reject(Report(id, held.revision, config.status()), std::exchange(held.config, nullptr), replies);
  auto gateway = Gateway::Compile(*config, plugins_, rules_, held.state);
  if (!gateway.ok()) {
    if (!refused_.contains(id)) Reject(Report(id, held.revision, gateway.status()), held.config, replies);
    gateway = Gateway::Recompile(*config, plugins_, rules_, held.state);
  }
  if (gateway.ok()) changes.push_back({id, *std::move(gateway)});
}

void Applier::PublishAndWait(Changes changes) {
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
    Bytes config;
  };
  auto gateways = std::make_shared<std::vector<Kept>>();
  for (const auto& [id, held] : held_) {
    if (held.config != nullptr) gateways->push_back({id, held.revision, held.config});
  }
  int64_t cursor = revision_;
  for (const auto& [id, refused] : refused_) cursor = std::min(cursor, refused.report.revision() - 1);
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
  rules_.protect = ParseRanges(fleet.protect());
  rules_.egress_allow = ParseRanges(fleet.egress_allow());
}

}  // namespace sluice::sync
