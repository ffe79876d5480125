#include "common/quota/wire.h"

namespace sluice::quota {
namespace {

using WireSlots = google::protobuf::RepeatedPtrField<lease::v1::Slots>;

int64_t Nanos(MonotonicTime time) {
  return std::chrono::duration_cast<Duration>(time.time_since_epoch()).count();
}

MonotonicTime Time(int64_t nanos) {
  return MonotonicTime(Duration(nanos));
}

void Write(const std::vector<SlotGroup>& groups, WireSlots& wire) {
  for (const SlotGroup& group : groups) {
    lease::v1::Slots& slots = *wire.Add();
    slots.set_count(group.count);
    slots.set_ready_in_micros(
        static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(group.ready_in).count()));
  }
}

std::vector<SlotGroup> Read(const WireSlots& wire) {
  std::vector<SlotGroup> groups;
  for (const lease::v1::Slots& slots : wire) {
    groups.push_back({slots.count(), std::chrono::microseconds(slots.ready_in_micros())});
  }
  return groups;
}

void Write(const Basis& basis, lease::v1::Basis& wire) {
  wire.set_epoch(basis.epoch);
  wire.set_members(basis.members);
  wire.set_index(basis.index);
}

Basis Read(const lease::v1::Basis& wire) {
  return {wire.epoch(), wire.members(), wire.index()};
}

}  // namespace

lease::v1::Report ToWire(const Report& report) {
  lease::v1::Report wire;
  wire.set_sequence(report.sequence);
  wire.set_sent_nanos(Nanos(report.sent));
  wire.set_seen(report.seen);
  wire.set_fresh(report.fresh);
  wire.set_prepared(report.prepared);
  wire.set_committed(report.committed);
  for (const GatewayReport& gateway : report.gateways) {
    lease::v1::GatewayReport& entry = *wire.add_gateways();
    entry.set_id(gateway.id);
    entry.set_held(gateway.held);
    entry.set_demand(gateway.demand);
    Write(gateway.released, *entry.mutable_released());
  }
  return wire;
}

Report FromWire(const lease::v1::Report& wire) {
  Report report{.sequence = wire.sequence(), .sent = Time(wire.sent_nanos()), .seen = wire.seen()};
  report.fresh = wire.fresh();
  report.prepared = wire.prepared();
  report.committed = wire.committed();
  for (const lease::v1::GatewayReport& entry : wire.gateways()) {
    report.gateways.push_back({entry.id(), entry.held(), entry.demand(), Read(entry.released())});
  }
  return report;
}

lease::v1::Answer ToWire(const Answer& answer) {
  lease::v1::Answer wire;
  wire.set_sequence(answer.sequence);
  wire.set_echo_nanos(Nanos(answer.echo));
  wire.set_start(answer.start);
  wire.set_extend(answer.extend);
  if (answer.has_prepare) Write(answer.prepare, *wire.mutable_prepare());
  if (answer.has_commit) Write(answer.commit, *wire.mutable_commit());
  for (const GatewayAnswer& gateway : answer.gateways) {
    lease::v1::GatewayAnswer& entry = *wire.add_gateways();
    entry.set_id(gateway.id);
    entry.set_keep(gateway.keep);
    entry.set_pending(gateway.pending);
    entry.set_rest(gateway.rest);
    Write(gateway.granted, *entry.mutable_granted());
  }
  return wire;
}

Answer FromWire(const lease::v1::Answer& wire) {
  Answer answer{.sequence = wire.sequence(), .echo = Time(wire.echo_nanos())};
  answer.start = wire.start();
  answer.extend = wire.extend();
  answer.has_prepare = wire.has_prepare();
  answer.has_commit = wire.has_commit();
  if (answer.has_prepare) answer.prepare = Read(wire.prepare());
  if (answer.has_commit) answer.commit = Read(wire.commit());
  for (const lease::v1::GatewayAnswer& entry : wire.gateways()) {
    answer.gateways.push_back({entry.id(), entry.keep(), Read(entry.granted()), entry.pending(), entry.rest()});
  }
  return answer;
}

lease::v1::Bases ToWire(const Bases& bases) {
  lease::v1::Bases wire;
  Write(bases.committed, *wire.mutable_committed());
  if (bases.prepared) Write(*bases.prepared, *wire.mutable_prepared());
  return wire;
}

Bases FromWire(const lease::v1::Bases& wire) {
  Bases bases{.committed = Read(wire.committed())};
  if (wire.has_prepared()) bases.prepared = Read(wire.prepared());
  return bases;
}

}  // namespace sluice::quota
