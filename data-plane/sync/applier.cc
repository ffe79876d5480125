#include "data-plane/sync/applier.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
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

CrashGuard::Candidate ToCandidate(const v1::GatewayUpdate& update, bool rules_are_theirs) {
  CrashGuard::Candidate candidate{update.gateway_id(), update.revision(), nullptr};
  if (update.has_head() && !update.removed()) {
    candidate.head = std::make_shared<const v1::Head>(update.head());
  } else if (!update.removed()) {
    candidate.config = std::make_shared<const std::string>(update.config());
    candidate.good = rules_are_theirs && update.good();
  }
  return candidate;
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

absl::StatusOr<config::v1::GatewayConfig> ParseConfig(const std::string& id, const std::string& bytes) {
  if (bytes.empty()) {
    return ConfigError("UNREADABLE", "config", "the control plane cannot open it; its log says why");
  }
  config::v1::GatewayConfig config;
  if (!config.ParseFromString(bytes)) return ConfigError("INVALID", "config", "does not parse");
  if (config.id() != id) return ConfigError("INVALID", "id", "is another gateway's");
  return config;
}

Applier::Applier(ApplierDeps deps)
    : deps_(std::move(deps)),
      status_(deps_.status),
      working_set_(deps_.working_set),
      awake_(deps_.rest.awake, deps_.rest.after) {}

std::vector<v1::NodeMessage> Applier::Handle(const v1::ControlMessage& message) {
  std::lock_guard lock(mutex_);
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
    case v1::ControlMessage::kTrust:      // of the connection, not of what is served
    case v1::ControlMessage::kUsageKept:  // the client's
    case v1::ControlMessage::MESSAGE_NOT_SET:
      break;  // a newer control plane's message; the contract lets it be
  }
  return replies;
}

void Applier::OnWelcome(const v1::Welcome& welcome, Replies& replies) {
  pending_.clear();
  named_.clear();
  in_step_ = false;
  on_demand_ = deps_.working_set > 0 && welcome.mode() == v1::ON_DEMAND;
  start_anew_ = !on_demand_ && !welcome.full() && HasHeads();
  if (start_anew_) {
    revision_ = 0;
    return;
  }
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
  rules_are_theirs_ = welcome.rules() == config::RulesId(deps_.build, rules_);
  for (const auto& [id, refused] : refused_) *replies.emplace_back().mutable_rejected() = refused.report;
  if (!on_demand_) return;
  Evict(std::exchange(unnamed_, {}), replies);
}

void Applier::OnUpdate(const v1::GatewayUpdate& update, Replies& replies) {
  if (sweeping_) named_.insert(update.gateway_id());
  if (update.fetched()) return OnFetched(update, replies);
  const auto held = held_.find(update.gateway_id());
  if (held != held_.end() && update.revision() <= held->second.revision) return;
  const int64_t revision = update.revision();
  pending_.push_back(ToCandidate(update, rules_are_theirs_));
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
      if (!named_.contains(id)) pending_.push_back({id, revision, nullptr});
    }
    sweeping_ = false;
    named_.clear();
  }
  Flush(replies);
  dirty_ = dirty_ || revision != revision_;
  revision_ = revision;
  status_.revision = revision;
  in_step_ = true;
  status_.in_step_at = UnixSeconds(deps_.clock.WallNow());
  status_.source = Status::Source::kStream;
  deps_.publisher.SetReady();
  replies.emplace_back().mutable_applied()->set_revision(revision);
  if (std::exchange(dirty_, false)) Keep();
}

void Applier::Flush(Replies& replies) {
  if (pending_.empty()) return;
  dirty_ = true;
  Changes at_rest;
  std::erase_if(pending_, [&](const Update& update) { return AcceptAtRest(update, at_rest); });
  PublishAndWait(std::move(at_rest));
  Try(
      std::exchange(pending_, {}),
      [&](const Update& update, Changes& changes) { Accept(update, changes, replies); }, replies);
  status_.applied_at = UnixSeconds(deps_.clock.WallNow());
  CountGateways();
}

std::shared_ptr<GatewayState> Applier::NewState(const std::string& id) const {
  auto state = deps_.shares != nullptr ? deps_.shares->StateOf(id) : std::make_shared<GatewayState>();
  state->keeper = deps_.shares;
  return state;
}

void Applier::CountGateways() {
  status_.gateways = static_cast<int64_t>(held_configs_);
  status_.known = static_cast<int64_t>(held_.size());
  status_.rejected = static_cast<int64_t>(refused_.size());
}

void Applier::Try(std::vector<Update> updates, const std::function<void(const Update&, Changes&)>& apply,
                  Replies& replies) {
  using Advice = CrashGuard::Advice;
  std::vector<Update> together;
  size_t bytes = 0;
  const auto try_together = [&] {
    TryTogether(together, apply);
    bytes = 0;
    AwakenAsked();
  };
  for (Update& update : updates) {
    const bool guarded = deps_.guard != nullptr && update.config != nullptr;
    const Advice advice = guarded ? deps_.guard->For(*update.config) : Advice::kTogether;
    if (advice != Advice::kTogether) try_together();
    if (advice == Advice::kNever) {
      RejectCrashed(update, replies);
      continue;
    }
    if (update.config != nullptr) bytes += update.config->size();
    together.push_back(std::move(update));
    if (advice == Advice::kAlone || together.size() >= kMaxTried || bytes >= kMaxTriedBytes) try_together();
  }
  try_together();
}

void Applier::TryTogether(std::vector<Update>& updates,
                          const std::function<void(const Update&, Changes&)>& apply) {
  if (updates.empty()) return;
  if (deps_.guard != nullptr) deps_.guard->Trying(updates);
  Changes changes;
  for (const Update& update : updates) apply(update, changes);
  PublishAndWait(std::move(changes));
  if (deps_.guard != nullptr) deps_.guard->Done();
  updates.clear();
}

void Applier::RejectCrashed(const Update& update, Replies& replies) {
  Held& held = held_[update.gateway_id];
  held.revision = update.revision;
  if (held.config == update.config) {  // even the last good one crashes this build: better not served than not alive
    Hold(update.gateway_id, held, nullptr);
    PublishAndWait({{update.gateway_id, nullptr}});
  }
  const absl::Status why =
      ConfigError("CRASHED", "config",
                  absl::StrCat("the node crashed ", CrashGuard::kMaxCrashes,
                               " times while it tried this configuration, and tries it again only when it changes or "
                               "the node runs another build"));
  Reject(Report(update.gateway_id, update.revision, why), update.config, replies);
}

void Applier::Accept(const Update& update, Changes& changes, Replies& replies) {
  ++status_.updates;
  const std::string& id = update.gateway_id;
  const auto known = held_.find(id);
  if (known != held_.end() && update.revision < known->second.revision) return;  // what was fetched overtook it
  if (update.head != nullptr) {
    AcceptHead(id, update.revision, *update.head, changes);
  } else if (update.config == nullptr) {
    Remove(id, changes);
  } else if (!AcceptAsHead(update, changes)) {
    AcceptConfig(update, changes, replies);
  }
}

void Applier::Remove(const std::string& id, Changes& changes) {
  const auto held = held_.find(id);
  if (held != held_.end()) {
    Hold(id, held->second, nullptr);
    held_.erase(held);
  }
  changed_.insert(id);
  refused_.erase(id);
  parked_.erase(id);
  if (deps_.shares != nullptr) deps_.shares->Detach(id);
  if (deps_.guard != nullptr) deps_.guard->Forget(id);
  changes.push_back({id, nullptr});
}

void Applier::Hold(const std::string& id, Held& held, Bytes config) {
  const bool before = held.config != nullptr, now = config != nullptr;
  changed_.insert(id);
  held.config = std::move(config);
  if (!now) {
    held.rest = nullptr;
    held.awake = false;
    awake_.Remove(id);
  }
  if (before == now) return;
  held_configs_ += now ? 1 : -1;
  if (deps_.working_set == 0) return;
  deps_.fetches->SetRoom(held_configs_ < kMaxHeld);
  if (now) {
    working_set_.Add(id, deps_.clock.Now());
  } else {
    working_set_.Remove(id);
  }
}

void Applier::AcceptConfig(const Update& update, Changes& changes, Replies& replies) {
  const std::string& id = update.gateway_id;
  Held& held = held_[id];
  held.revision = update.revision;
  if (held.state == nullptr) held.state = NewState(id);
  auto gateway = Compile(id, *update.config, held.state);
  if (!gateway.ok()) return Reject(Report(id, update.revision, gateway.status()), update.config, replies);
  refused_.erase(id);
  Hold(id, held, update.config);
  Serve(id, held, *std::move(gateway), changes);
}

absl::StatusOr<std::shared_ptr<const Gateway>> Applier::Compile(const std::string& id, const std::string& bytes,
                                                                std::shared_ptr<GatewayState> state) {
  auto config = ParseConfig(id, bytes);
  if (!config.ok()) return config.status();
  return Gateway::Compile(*config, deps_.plugins, rules_, std::move(state), &parts_);
}

void Applier::Reject(v1::Rejected report, Bytes config, Replies& replies) {
  ++status_.rejections;
  log::Warning("a configuration was rejected; its gateway keeps the last good one",
               {{"gateway", report.gateway_id()}, {"reason", report.reason()}, {"error", report.message()}});
  *replies.emplace_back().mutable_rejected() = report;
  const std::string id = report.gateway_id();
  refused_[id] = {std::move(report), std::move(config)};
  Held& held = held_[id];
  changed_.insert(id);  // its revision
  if (held.head != nullptr) RefuseFetched(id, held, replies);
}

void Applier::RecompileAll(Replies& replies) {
  std::vector<Update> updates;
  for (const auto& [id, held] : held_) {
    if (held.config != nullptr) updates.push_back({id, held.revision, held.config});
  }
  Try(
      std::move(updates), [&](const Update& update, Changes& changes) { Restore(update.gateway_id, changes, replies); },
      replies);
  updates.clear();
  for (const auto& [id, refused] : refused_) updates.push_back({id, refused.report.revision(), refused.config});
  Try(
      std::move(updates),
      [&](const Update& update, Changes& changes) { RetryRefused(update.gateway_id, changes); }, replies);
  CountGateways();
}

void Applier::RetryRefused(const std::string& id, Changes& changes) {
  const auto refused = refused_.find(id);
  Held& held = held_[id];
  auto gateway = Compile(id, *refused->second.config, held.state);
  if (!gateway.ok()) return;
  const Bytes config = std::move(refused->second.config);
  refused_.erase(refused);
  if (held.head != nullptr) return deps_.fetches->Changed(id);  // it is fetched when it is asked for
  Hold(id, held, config);
  Serve(id, held, *std::move(gateway), changes);
}

void Applier::Restore(const std::string& id, Changes& changes, Replies& replies) {
  Held& held = held_[id];
  if (held.state == nullptr) held.state = NewState(id);
  auto config = ParseConfig(id, *held.config);
  if (!config.ok()) {
    const Bytes unreadable = held.config;
    Hold(id, held, nullptr);
    return Reject(Report(id, held.revision, config.status()), unreadable, replies);
  }
  auto gateway = Gateway::Compile(*config, deps_.plugins, rules_, held.state, &parts_);
  if (!gateway.ok()) {
    if (!refused_.contains(id)) Reject(Report(id, held.revision, gateway.status()), held.config, replies);
    gateway = Gateway::Recompile(*config, deps_.plugins, rules_, held.state, &parts_);
  }
  if (gateway.ok()) Serve(id, held, *std::move(gateway), changes);
}

void Applier::PublishAndWait(Changes changes) {
  if (changes.empty()) return;
  std::mutex mutex;
  std::condition_variable swapped;
  bool done = false;
  deps_.publisher.Publish(std::move(changes), [&] {
    std::lock_guard lock(mutex);
    done = true;
    swapped.notify_all();
  });
  std::unique_lock lock(mutex);
  swapped.wait(lock, [&] { return done; });
}

void Applier::SetFleet(const v1::Fleet& fleet) {
  fleet_ = fleet;
  rules_.protect = ParseRanges(fleet.protect());
  rules_.egress_allow = ParseRanges(fleet.egress_allow());
  parts_ = {};
}

}  // namespace sluice::sync
