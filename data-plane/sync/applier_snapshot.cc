// What the applier takes from its disk, and has kept there.

#include <algorithm>
#include <utility>

#include "data-plane/sync/applier.h"

namespace sluice::sync {

void Applier::Load(const v1::Snapshot& snapshot) {
  SetFleet(snapshot.fleet());
  Replies later;  // there is nobody to tell yet: refusals are repeated behind each Welcome
  std::vector<Update> updates;
  for (const v1::GatewayUpdate& gateway : snapshot.gateways()) {
    Held& held = held_[gateway.gateway_id()];
    held.revision = gateway.revision();
    Hold(gateway.gateway_id(), held, std::make_shared<const std::string>(gateway.config()));
    updates.push_back({gateway.gateway_id(), held.revision, held.config});
  }
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

void Applier::Keep() {
  struct Kept {
    std::string id;
    int64_t revision;
    Bytes config;
    std::shared_ptr<const GatewayHead> head;
    uint32_t limit;
  };
  auto gateways = std::make_shared<std::vector<Kept>>();
  for (const auto& [id, held] : held_) {
    const bool known = held.config != nullptr || held.head != nullptr;
    if (known) gateways->push_back({id, held.revision, held.config, held.head, held.limit});
  }
  int64_t cursor = revision_;
  for (const auto& [id, refused] : refused_) cursor = std::min(cursor, refused.report.revision() - 1);
  deps_.changed([gateways, cursor, epoch = epoch_, fleet = fleet_] {
    v1::Snapshot snapshot;
    snapshot.set_epoch(epoch);
    snapshot.set_revision(cursor);
    *snapshot.mutable_fleet() = fleet;
    for (const Kept& kept : *gateways) {
      v1::GatewayUpdate& gateway = kept.config != nullptr ? *snapshot.add_gateways() : *snapshot.add_heads();
      gateway.set_gateway_id(kept.id);
      gateway.set_revision(std::min(kept.revision, cursor));
      if (kept.config != nullptr) {
        gateway.set_config(*kept.config);
      } else {
        gateway.mutable_head()->mutable_hosts()->Add(kept.head->hosts().begin(), kept.head->hosts().end());
        gateway.mutable_head()->set_requests_per_second(kept.limit);
      }
    }
    if (snapshot.heads_size() > 0) {
      snapshot.set_heads_revision(cursor);
      snapshot.set_revision(0);
    }
    return snapshot;
  });
}

}  // namespace sluice::sync
