// The applier of a node that holds the configurations of its working set, and of all other gateways the heads.

#include <algorithm>
#include <utility>

#include "data-plane/route/share_keeper.h"
#include "data-plane/sync/applier.h"

namespace sluice::sync {

std::shared_ptr<const GatewayHead> MakeHead(const std::string& id,
                                            const google::protobuf::RepeatedPtrField<std::string>& hosts) {
  return std::make_shared<const GatewayHead>(id, std::vector<std::string>(hosts.begin(), hosts.end()));
}

v1::Head HeadOf(const config::v1::GatewayConfig& config) {
  v1::Head head;
  *head.mutable_hosts() = config.hosts();
  const bool of_owner = config.kind() == config::v1::SELF_MANAGED;
  head.set_requests_per_second(of_owner ? 0 : config.plan().requests_per_second());
  return head;
}

v1::Resume Applier::Resume() {
  std::lock_guard lock(mutex_);
  v1::Resume resume;
  resume.set_epoch(epoch_);
  resume.set_revision(revision_);
  start_anew_ = false;
  if (deps_.working_set == 0) return resume;
  resume.set_mode(v1::ON_DEMAND);
  unnamed_.clear();
  for (const auto& [id, held] : held_) {
    if (held.config == nullptr) continue;
    if (static_cast<size_t>(resume.held_size()) < kMaxHeld) {
      resume.add_held(id);
    } else {
      unnamed_.push_back(id);
    }
  }
  return resume;
}

void Applier::Disconnected() {
  std::lock_guard lock(mutex_);
  in_step_ = false;
  if (deps_.fetches != nullptr) deps_.fetches->Close();
}

bool Applier::HasHeads() const {
  return std::any_of(held_.begin(), held_.end(), [](const auto& entry) { return entry.second.head != nullptr; });
}

void Applier::OnFetched(const v1::GatewayUpdate& update, Replies& replies) {
  const std::string& id = update.gateway_id();
  const auto held = held_.find(id);
  const bool newer = held == held_.end() || update.revision() > held->second.revision;
  const bool missing = !newer && update.revision() == held->second.revision && held->second.config == nullptr;
  if (newer || missing) {
    Update candidate{id, update.revision(), nullptr};
    if (!update.removed()) candidate.config = std::make_shared<const std::string>(update.config());
    const auto apply = [&](const Update& fetched, Changes& changes) {
      if (fetched.config == nullptr) return Remove(id, changes);
      AcceptConfig(fetched, changes, replies);
    };
    Try({std::move(candidate)}, apply, replies);
    dirty_ = true;
    CountGateways();
  }
  if (deps_.fetches != nullptr) deps_.fetches->Answered(id, /*refused=*/false);
}

// A configuration that was sent before the control plane had heard that it was let go of.
bool Applier::AcceptAsHead(const Update& update, Changes& changes) {
  const auto held = held_.find(update.gateway_id);
  if (!on_demand_ || (held != held_.end() && held->second.config != nullptr)) return false;
  const auto config = ParseConfig(update.gateway_id, *update.config);
  if (!config.ok() || !config->certificates().empty()) return false;
  AcceptHead(update.gateway_id, update.revision, HeadOf(*config), changes);
  return true;
}

void Applier::AcceptHead(const std::string& id, int64_t revision, const v1::Head& head, Changes& changes) {
  Held& held = held_[id];
  held.revision = revision;
  held.limit = head.requests_per_second();
  refused_.erase(id);
  if (deps_.fetches != nullptr) deps_.fetches->Changed(id);
  const bool was_held = held.config != nullptr;
  Hold(id, held, nullptr);
  if (held.state != nullptr && was_held) parked_[id] = deps_.clock.Now();
  if (held.head == nullptr || !std::equal(head.hosts().begin(), head.hosts().end(), held.head->hosts().begin(),
                                          held.head->hosts().end())) {
    held.head = MakeHead(id, head.hosts());
    changes.push_back({id, nullptr, held.head});
  }
  if (deps_.shares == nullptr) return;
  if (held.state != nullptr) {
    deps_.shares->Attach(id, held.state, held.limit);
  } else {
    deps_.shares->Rest(id, held.limit);
  }
}

// Whoever waits for it learns so at once; it is not wanted again until it changes.
void Applier::RefuseFetched(const std::string& id, Held& held, Replies& replies) {
  if (!parked_.contains(id)) held.state = nullptr;
  if (deps_.fetches != nullptr) deps_.fetches->Answered(id, /*refused=*/true);
  if (on_demand_) replies.emplace_back().mutable_release()->add_gateway_ids(id);
  PublishAndWait({{id, nullptr, held.head}});
}

std::vector<v1::NodeMessage> Applier::Tidy() {
  Replies replies;
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return replies;  // changes come; next time
  if (on_demand_ && in_step_) {
    // What is served although a newer one was refused could not be had again.
    const auto asked = [&](const std::string& id) {
      const Held& held = held_.at(id);
      const auto& state = held.state;
      const bool busy =
          held.stays || state == nullptr || state->requests_in_flight > 0 || refused_.contains(id);
      return busy ? WorkingSet::kBusy : state->requests_asked.load(std::memory_order_relaxed);
    };
    Evict(working_set_.Look(deps_.clock.Now(), asked), replies);
  }
  DropStates();
  if (!sweeping_ && !start_anew_ && std::exchange(dirty_, false)) Keep();
  return replies;
}

void Applier::Evict(const std::vector<std::string>& ids, Replies& replies) {
  Changes changes;
  for (const std::string& id : ids) {
    Held& held = held_[id];
    const auto config = held.config == nullptr ? absl::NotFoundError(id) : ParseConfig(id, *held.config);
    if (!config.ok()) continue;
    held.head = MakeHead(id, config->hosts());
    held.limit = HeadOf(*config).requests_per_second();
    Hold(id, held, nullptr);
    parked_[id] = deps_.clock.Now();
    changes.push_back({id, nullptr, held.head});
  }
  if (changes.empty()) return;
  dirty_ = true;
  status_.evictions += changes.size();
  v1::Release& release = *replies.emplace_back().mutable_release();
  for (const GatewayChange& change : changes) release.add_gateway_ids(change.gateway_id);
  PublishAndWait(std::move(changes));
  CountGateways();
}

// The state outlives the gateway for as long as its window or a plugin's counter could tell of a request: loaded again,
// the gateway admits no more than if it had stayed. What is forgotten with it, the health of targets, is found out
// again as after a start.
void Applier::DropStates() {
  const MonotonicTime now = deps_.clock.Now();
  const int64_t second = UnixSeconds(deps_.clock.WallNow());
  absl::erase_if(parked_, [&](const auto& entry) {
    const auto& [id, since] = entry;
    Held& held = held_[id];
    if (held.config != nullptr || held.state == nullptr) return true;
    const bool used = held.state->requests_in_flight > 0 || held.state->plugin_counters().AnyAfter(second);
    if (since + WorkingSet::kMinUnused > now || used) return false;
    if (deps_.shares != nullptr && !deps_.shares->Rest(id, held.limit)) return false;
    held.state = nullptr;
    return true;
  });
}

}  // namespace sluice::sync
