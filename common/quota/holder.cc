#include "common/quota/holder.h"

#include <algorithm>

namespace sluice::quota {

uint32_t Holder::Safe(const std::string& gateway, uint32_t limit) const {
  if (!started_) return 0;
  const uint32_t share = SafeShare(limit, bases_.committed, gateway);
  return bases_.prepared ? std::min(share, SafeShare(limit, *bases_.prepared, gateway)) : share;
}

uint32_t Holder::Share(const std::string& gateway, uint32_t limit) const {
  const auto lease = leases_.find(gateway);
  return lease != leases_.end() ? lease->second.held : Safe(gateway, limit);
}

Holder::Lease& Holder::Open(const std::string& gateway) {
  const auto [found, opened] = leases_.try_emplace(gateway);
  Lease& lease = found->second;
  if (opened) {
    lease.held = Safe(gateway, windows_.Limit(gateway));
    lease.asked = windows_.Asked(gateway);
  }
  return lease;
}

void Holder::Want(const std::string& gateway) {
  if (!connected_ || hello_ || windows_.Limit(gateway) == 0) return;
  Lease& lease = Open(gateway);
  lease.pending = lease.news = true;
  urgent_ = true;
}

bool Holder::Pending(const std::string& gateway) const {
  const auto lease = leases_.find(gateway);
  return connected_ && lease != leases_.end() && lease->second.pending;
}

void Holder::LimitChanged(const std::string& gateway) {
  const auto found = leases_.find(gateway);
  const uint32_t limit = windows_.Limit(gateway);
  if (found == leases_.end() || found->second.held <= limit) return;
  windows_.Resize(gateway, limit, {});
  found->second.held = limit;
  found->second.news = true;
}

void Holder::Connected(MonotonicTime now) {
  connected_ = hello_ = true;
  sequence_ = seen_ = 0;
  report_at_ = now;
  for (auto& [gateway, lease] : leases_) {
    lease.released = {};  // if the report of it was lost, they are found missing, and free a window later
    lease.pending = false;
  }
}

MonotonicTime Holder::NextDue() const {
  MonotonicTime due = restore_at_;
  if (connected_) due = std::min(due, urgent_ ? MonotonicTime{} : report_at_);
  if (has_surplus_) due = std::min(due, surplus_until_);
  return due;
}

bool Holder::Measure(const std::string& gateway, Lease& lease, MonotonicTime now) {
  const uint64_t asked = windows_.Asked(gateway);
  lease.demand.Count(asked - lease.asked, now);
  lease.asked = asked;
  const uint32_t before = lease.reported_demand;
  const uint32_t demand = std::min(lease.demand.Estimate(now), windows_.Limit(gateway));
  const uint32_t change = demand > before ? demand - before : before - demand;
  if (!lease.news && change * 16 <= before) return false;
  lease.reported_demand = demand;
  return true;
}

GatewayReport Holder::ReportOf(const std::string& gateway, Lease& lease, MonotonicTime now) {
  GatewayReport report{.id = gateway, .held = lease.held, .demand = lease.reported_demand};
  report.released = lease.released.Write(now);
  lease.released = {};
  lease.news = false;
  return report;
}

std::optional<Report> Holder::NextReport(MonotonicTime now) {
  if (!connected_ || (!urgent_ && now < report_at_)) return std::nullopt;
  Report report{.sequence = ++sequence_, .sent = now, .seen = seen_};
  report.hello = std::exchange(hello_, false);
  report.fresh = !started_;
  report.prepared = bases_.prepared ? bases_.prepared->epoch : bases_.committed.epoch;
  report.committed = bases_.committed.epoch;
  for (auto& [gateway, lease] : leases_) {
    const bool news = Measure(gateway, lease, now);
    if (report.hello || news) report.gateways.push_back(ReportOf(gateway, lease, now));
  }
  urgent_ = false;
  report_at_ = now + (leases_.empty() ? kIdleReportInterval : kReportInterval);
  return report;
}

void Holder::TakeBases(const Answer& answer) {
  Bases next = bases_;
  if (answer.has_commit && answer.commit.epoch > next.committed.epoch) next.committed = answer.commit;
  if (answer.has_prepare) next.prepared = answer.prepare;
  if (next.prepared && next.prepared->epoch <= next.committed.epoch) next.prepared.reset();
  const auto epochs = [](const Bases& bases) {
    return std::pair(bases.committed.epoch, bases.prepared ? bases.prepared->epoch : 0);
  };
  if (epochs(next) == epochs(bases_) || !windows_.Keep(next)) return;
  bases_ = next;
  has_surplus_ = true;  // what was the node's own may be none now
  windows_.Refresh();
  urgent_ = true;
}

void Holder::Obey(const GatewayAnswer& answer, MonotonicTime now) {
  Lease& lease = Open(answer.id);
  const Slots granted = Slots::Read(answer.granted, now);
  const uint32_t held = std::min(lease.held + granted.count(), answer.keep);
  if (held != lease.held || granted.count() > 0) {
    const Slots released = windows_.Resize(answer.id, held, granted);
    lease.held = held;
    has_surplus_ = true;
    if (released.count() > 0) {
      lease.released.Add(released);
      urgent_ = true;
    }
    lease.news = true;
  }
  lease.pending = answer.pending;
  if (!answer.rest) return;
  const uint32_t safe = Safe(answer.id, windows_.Limit(answer.id));
  if (safe != lease.held) windows_.Resize(answer.id, safe, {});
  leases_.erase(answer.id);
}

bool Holder::Receive(const Answer& answer, MonotonicTime now) {
  if (!Tick(now)) return false;
  seen_ = answer.sequence;
  // First the leases: what is named here does not change with the membership.
  for (const GatewayAnswer& gateway : answer.gateways) Obey(gateway, now);
  TakeBases(answer);
  if (answer.start && !std::exchange(started_, true)) windows_.Refresh();
  if (answer.extend) surplus_until_ = answer.echo + kSurplusLife;
  restore_at_ = now + kRestore;
  return Tick(now);
}

bool Holder::Tick(MonotonicTime now) {
  if (has_surplus_ && now >= surplus_until_) EndSurplus();
  if (now < restore_at_) return true;
  Restore();
  restore_at_ = MonotonicTime::max();
  return false;
}

void Holder::EndSurplus() {
  has_surplus_ = false;
  for (auto& [gateway, lease] : leases_) {
    const uint32_t safe = Safe(gateway, windows_.Limit(gateway));
    if (lease.held <= safe) continue;
    windows_.Resize(gateway, safe, {});  // what is given back is free for others a window later
    lease.held = safe;
    lease.news = true;
  }
}

// Nobody has answered for so long that nobody else uses any of this node's safe shares.
void Holder::Restore() {
  const auto leases = std::exchange(leases_, {});
  if (!std::exchange(started_, true)) windows_.Refresh();
  for (const auto& [gateway, lease] : leases) {
    const uint32_t safe = Safe(gateway, windows_.Limit(gateway));
    if (lease.held != safe) windows_.Resize(gateway, safe, {});
  }
}

}  // namespace sluice::quota
