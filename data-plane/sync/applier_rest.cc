// Gateways at rest: the node has their configurations, found good, and compiles them when they are asked for.

#include <algorithm>
#include <utility>

#include "data-plane/route/limit.h"
#include "data-plane/sync/applier.h"
#include "google/protobuf/arena.h"

namespace sluice::sync {
namespace {

// What works without a request must be there without one: health checks, and certificates for handshakes.
bool WaitsForRequests(const Gateway& gateway) {
  const auto& upstreams = gateway.upstreams();
  return gateway.certificates().empty() &&
         std::none_of(upstreams.begin(), upstreams.end(), [](const auto& upstream) { return upstream->health.on(); });
}

}  // namespace

// It is good, and either served from now on or known by its head until it is asked for. Workers hear nothing of what
// rested before and goes on: news of it would be taken for an answer by requests that wait for it. Hence it is awakened
// where its hosts have changed.
void Applier::Serve(const std::string& id, Held& held, std::shared_ptr<const Gateway> gateway, Changes& changes) {
  held.head = nullptr;
  held.stays = !gateway->certificates().empty();
  held.limit = gateway->state().limit;
  const bool may_rest = deps_.wakes != nullptr && held.config->size() <= kMaxRestingBytes && WaitsForRequests(*gateway);
  const bool has_rested = !held.awake && held.rest != nullptr;
  const bool is_known = held.rest != nullptr && held.rest->hosts() == gateway->hosts();
  if (!may_rest) {
    held.rest = nullptr;
  } else if (!is_known) {
    held.rest = std::make_shared<const GatewayHead>(id, gateway->hosts());
  }
  if (RestsAtOnce(held) && (is_known || !has_rested)) {
    if (!has_rested) changes.push_back({id, nullptr, held.rest});
    return;
  }
  SetAwake(id, held);
  changes.push_back({id, std::move(gateway)});
}

bool Applier::RestsAtOnce(const Held& held) const {
  return held.rest != nullptr && !held.awake && awake_.size() >= deps_.rest.awake && !IsSuspect(*held.config);
}

// What crashed the node once is tried whole, with the workers.
bool Applier::IsSuspect(const std::string& config) const {
  return deps_.guard != nullptr && deps_.guard->For(config) != CrashGuard::Advice::kTogether;
}

void Applier::SetAwake(const std::string& id, Held& held) {
  held.awake = true;
  if (held.rest == nullptr) {
    awake_.Remove(id);
  } else if (!awake_.Contains(id)) {
    awake_.Add(id, deps_.clock.Now());
  }
}

// Of one that is new here and that the control plane found good, by the rules that this node has. There is no last good
// one to go on with were it bad after all, and compiling is most of what such a gateway costs: it waits for a request.
bool Applier::AcceptAtRest(const Update& update, Changes& changes) {
  if (!update.good || deps_.wakes == nullptr || awake_.size() < deps_.rest.awake) return false;
  if (update.config->size() > kMaxRestingBytes || IsSuspect(*update.config)) return false;
  const auto known = held_.find(update.gateway_id);
  if (known != held_.end() && (known->second.config != nullptr || update.revision < known->second.revision)) {
    return false;
  }
  google::protobuf::Arena arena;
  auto& config = *google::protobuf::Arena::CreateMessage<config::v1::GatewayConfig>(&arena);
  if (!config.ParseFromString(*update.config) || config.id() != update.gateway_id) return false;
  // What may have to work without a request.
  if (config.certificates_size() > 0 || config.upstreams_size() > 0) return false;
  ++status_.updates;
  refused_.erase(update.gateway_id);
  Held& held = held_[update.gateway_id];
  held.revision = update.revision;
  Hold(update.gateway_id, held, update.config);
  AddAtRest(update.gateway_id, held, HeadOf(config), changes);
  return true;
}

void Applier::AddAtRest(const std::string& id, Held& held, const v1::Head& head, Changes& changes) {
  held.rest = MakeHead(id, head.hosts());
  held.limit = head.requests_per_second();
  if (held.state == nullptr) held.state = NewState(id);
  SetLimit(held.state, id, held.limit);
  changes.push_back({id, nullptr, held.rest});
}

void Applier::Awaken() {
  if (deps_.wakes == nullptr) return;
  std::lock_guard lock(mutex_);
  AwakenAsked();
}

void Applier::AwakenAsked() {
  if (deps_.wakes == nullptr || awakening_) return;
  std::vector<Update> updates;
  for (std::string& id : deps_.wakes->Take()) {
    const auto held = held_.find(id);
    if (held == held_.end() || held->second.config == nullptr || held->second.awake) continue;
    updates.push_back({std::move(id), held->second.revision, held->second.config});
  }
  if (updates.empty()) return;
  status_.wakes += updates.size();
  awakening_ = true;
  Replies unsaid;  // of what has become bad, which it cannot; behind each Welcome it is said
  Try(
      std::move(updates),
      [&](const Update& update, Changes& changes) {
        Held& held = held_[update.gateway_id];
        SetAwake(update.gateway_id, held);
        const size_t before = changes.size();
        Restore(update.gateway_id, changes, unsaid);
        if (changes.size() > before) return;
        held.awake = false;
        awake_.Remove(update.gateway_id);
        changes.push_back({update.gateway_id, nullptr, held.rest});  // who waits for it is told
      },
      unsaid);
  awakening_ = false;
}

void Applier::LetRest() {
  if (deps_.wakes == nullptr) return;
  std::lock_guard lock(mutex_);
  const auto asked = [&](const std::string& id) {
    const GatewayState& state = *held_.at(id).state;
    return state.requests_in_flight > 0 ? WorkingSet::kBusy : state.requests_asked.load(std::memory_order_relaxed);
  };
  Changes changes;
  for (const std::string& id : awake_.Look(deps_.clock.Now(), asked)) {
    Held& held = held_[id];
    held.awake = false;
    awake_.Remove(id);
    changes.push_back({id, nullptr, held.rest});
  }
  PublishAndWait(std::move(changes));
}

}  // namespace sluice::sync
