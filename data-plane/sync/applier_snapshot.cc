// What the applier takes from its disk, and has kept there.

#include <algorithm>
#include <utility>

#include "data-plane/sync/applier.h"

namespace sluice::sync {

// The bytes of configurations stay where they are: a fleet's are not to be there twice.
void Applier::Load(v1::Snapshot snapshot) {
  std::lock_guard lock(mutex_);
  SetFleet(snapshot.fleet());
  Replies later;  // there is nobody to tell yet: refusals are repeated behind each Welcome
  std::vector<Update> updates;
  Changes at_rest;
  const bool may_rest = deps_.wakes != nullptr && snapshot.build() == deps_.build;
  for (v1::GatewayUpdate& gateway : *snapshot.mutable_gateways()) {
    const std::string& id = gateway.gateway_id();
    Held& held = held_[id];
    held.revision = gateway.revision();
    Hold(id, held, std::make_shared<const std::string>(std::move(*gateway.mutable_config())));
    if (may_rest && gateway.has_head() && updates.size() >= deps_.rest.awake && !IsSuspect(*held.config)) {
      AddAtRest(id, held, gateway.head(), at_rest);
      if (at_rest.size() >= kMaxBatch) PublishAndWait(std::exchange(at_rest, {}));
    } else {
      updates.push_back({id, held.revision, held.config});
    }
    if (changed_.size() >= kMaxBatch) served_->Tell(TakeChanged(), {});
  }
  PublishAndWait(std::move(at_rest));
  Try(
      std::move(updates),
      [&](const Update& update, Changes& changes) { Restore(update.gateway_id, changes, later); }, later);
  LoadHeads(snapshot);
  CountGateways();
  epoch_ = snapshot.epoch();
  const bool knows_heads = deps_.working_set > 0 && snapshot.heads_size() > 0;
  revision_ = knows_heads ? snapshot.heads_revision() : snapshot.revision();
  status_.revision = revision_;
  status_.source = Status::Source::kDisk;
  deps_.publisher.SetReady();
}

void Applier::LoadHeads(const v1::Snapshot& snapshot) {
  Changes changes;
  for (const v1::GatewayUpdate& gateway : snapshot.heads()) {
    AcceptHead(gateway.gateway_id(), gateway.revision(), gateway.head(), changes);
    if (changes.size() >= kMaxBatch) PublishAndWait(std::exchange(changes, {}));
  }
  PublishAndWait(std::move(changes));
}

Served::Entries Applier::TakeChanged() {
  Served::Entries entries;
  for (const std::string& id : std::exchange(changed_, {})) {
    const auto held = held_.find(id);
    Served::Entry& entry = entries[id];
    if (held == held_.end()) continue;
    const Held& now = held->second;
    entry = {now.revision, now.config, now.head, now.limit};
    if (now.config != nullptr && !refused_.contains(id)) entry.head = now.rest;
  }
  return entries;
}

void Applier::Keep() {
  int64_t cursor = revision_;
  for (const auto& [id, refused] : refused_) cursor = std::min(cursor, refused.report.revision() - 1);
  served_->Tell(TakeChanged(), {epoch_, cursor, fleet_, deps_.build});
  deps_.changed([served = served_] { return served->Serialise(); });
}

}  // namespace sluice::sync
