#include "data-plane/limit/shares.h"

#include <algorithm>
#include <utility>

namespace sluice::limit {
namespace {

int64_t Nanos(MonotonicTime time) {
  return std::chrono::duration_cast<Duration>(time.time_since_epoch()).count();
}

}  // namespace

Shares::Shares(const Clock& clock, std::optional<quota::Bases> kept, std::function<bool(const quota::Bases&)> keep)
    : clock_(clock),
      keep_(std::move(keep)),
      not_before_(kept ? clock.Now() + quota::kWindow : clock.Now()),
      holder_(*this, clock.Now()) {
  if (kept) holder_.Remember(*kept);
}

std::shared_ptr<GatewayState> Shares::StateOf(const std::string& gateway) {
  std::lock_guard lock(mutex_);
  const auto entry = entries_.find(gateway);
  if (entry == entries_.end()) return std::make_shared<GatewayState>();
  if (entry->second.state == nullptr) MakeState(gateway, entry->second);
  return entry->second.state;
}

void Shares::MakeState(const std::string& gateway, Entry& entry) {
  entry.state = std::make_shared<GatewayState>();
  entry.state->keeper = this;
  entry.state->id = gateway;
  SetShare(gateway, entry, holder_.Share(gateway, entry.limit), {}, nullptr);
}

bool Shares::Rest(const std::string& gateway, uint32_t limit) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_[gateway];
  const bool changed = std::exchange(entry.limit, limit) != limit;
  if (changed) holder_.LimitChanged(gateway);
  const bool at_rest = holder_.AtRest(gateway);
  if (at_rest) entry.state = nullptr;
  if (at_rest || entry.state == nullptr) entry.served = false;
  if (changed && entry.state != nullptr) SetShare(gateway, entry, holder_.Share(gateway, limit), {}, nullptr);
  return !entry.served;
}

void Shares::Attach(const std::string& gateway, const std::shared_ptr<GatewayState>& state, uint32_t limit) {
  std::lock_guard lock(mutex_);
  state->id = gateway;
  Entry& entry = entries_[gateway];
  entry.state = state;
  entry.served = true;
  entry.limit = limit;
  holder_.LimitChanged(gateway);
  SetShare(gateway, entry, holder_.Share(gateway, limit), {}, nullptr);
}

void Shares::Detach(const std::string& gateway) {
  std::lock_guard lock(mutex_);
  entries_.erase(gateway);
}

void Shares::Want(GatewayState& state, MonotonicTime now) {
  int64_t before = state.wanted_at.load(std::memory_order_relaxed);
  if (Nanos(now) < before + kWantAgain.count()) return;
  if (!state.wanted_at.compare_exchange_strong(before, Nanos(now), std::memory_order_relaxed)) return;
  {
    std::lock_guard lock(mutex_);
    holder_.Want(state.id);
    state.share_pending = holder_.Pending(state.id);
  }
  Wake();
}

bool Shares::SurplusIsValid() const {
  return Nanos(clock_.Now()) < surplus_until_.load(std::memory_order_acquire);
}

bool Shares::Started() const {
  return Nanos(clock_.Now()) >= started_at_.load(std::memory_order_relaxed);
}

void Shares::Connected() {
  std::lock_guard lock(mutex_);
  holder_.Connected(clock_.Now());
}

void Shares::Disconnected() {
  std::lock_guard lock(mutex_);
  holder_.Disconnected();
  for (auto& [gateway, entry] : entries_) {
    if (entry.state != nullptr) entry.state->share_pending = false;
  }
}

std::optional<quota::Report> Shares::NextReport() {
  std::lock_guard lock(mutex_);
  return left_ ? std::nullopt : holder_.NextReport(clock_.Now());
}

bool Shares::Receive(const quota::Answer& answer) {
  std::lock_guard lock(mutex_);
  if (left_) return true;
  const bool keep = holder_.Receive(answer, clock_.Now());
  for (const quota::GatewayAnswer& gateway : answer.gateways) {
    const auto entry = entries_.find(gateway.id);
    if (entry == entries_.end() || entry->second.state == nullptr) continue;
    entry->second.state->share_pending = holder_.Pending(gateway.id);
    // Woken for others' sake, and of no use to them any more.
    if (!entry->second.served && holder_.AtRest(gateway.id)) entry->second.state = nullptr;
  }
  Publish();
  return keep;
}

bool Shares::Tick() {
  std::lock_guard lock(mutex_);
  if (left_) return true;
  const bool keep = holder_.Tick(clock_.Now());
  Publish();
  return keep;
}

void Shares::Publish() {
  surplus_until_.store(Nanos(holder_.surplus_until()), std::memory_order_release);
  if (!holder_.started()) return;
  const int64_t now = Nanos(clock_.Now());
  const int64_t at = holder_.member() ? std::max(now, Nanos(not_before_)) : now + kMaxGuest.count();
  if (at < started_at_) started_at_ = at;
}

void Shares::Wait(MonotonicTime until) {
  std::unique_lock lock(mutex_);
  const MonotonicTime due = left_ ? until : std::min(until, holder_.NextDue());
  wake_.wait_until(lock, due, [&] { return woken_; });
  woken_ = false;
}

void Shares::Wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake_.notify_all();
}

void Shares::Leave() {
  std::lock_guard lock(mutex_);
  left_ = true;
  for (auto& [gateway, entry] : entries_) {
    if (entry.state != nullptr) SetShare(gateway, entry, 0, {}, nullptr);
  }
}

void Shares::Forget() {
  keep_({});
}

uint32_t Shares::Limit(const std::string& gateway) const {
  const auto entry = entries_.find(gateway);
  return entry == entries_.end() ? 0 : entry->second.limit;
}

uint64_t Shares::Asked(const std::string& gateway) const {
  const auto entry = entries_.find(gateway);
  if (entry == entries_.end() || entry->second.state == nullptr) return 0;
  return entry->second.state->requests_asked.load(std::memory_order_relaxed);
}

quota::Slots Shares::Resize(const std::string& gateway, uint32_t share, const quota::Slots& more) {
  quota::Slots released;
  const auto entry = entries_.find(gateway);
  if (entry == entries_.end()) return released;
  if (entry->second.state == nullptr) MakeState(gateway, entry->second);
  SetShare(gateway, entry->second, share, more, &released);
  return released;
}

void Shares::Refresh() {
  for (auto& [gateway, entry] : entries_) {
    if (entry.state != nullptr) SetShare(gateway, entry, holder_.Share(gateway, entry.limit), {}, nullptr);
  }
}

bool Shares::Keep(const quota::Bases& bases) {
  return keep_(bases);
}

// What is the node's own was perhaps used a moment ago by the process before it. The flag goes up before slots come and
// comes down after they have gone.
void Shares::SetShare(const std::string& gateway, Entry& entry, uint32_t share, const quota::Slots& more,
                      quota::Slots* released) {
  GatewayState& state = *entry.state;
  const auto window = state.window();
  const uint32_t held = (window == nullptr ? 0 : window->limit()) + more.count();
  const bool surplus = entry.limit > 0 && share > holder_.Safe(gateway, entry.limit);
  if (surplus) state.has_surplus = true;
  if (share != held || more.count() > 0 || window == nullptr || state.limit != entry.limit) {
    quota::Slots all = more;
    if (entry.limit > 0 && share > held && clock_.Now() < not_before_) all.Add(share - held, not_before_);
    state.SetShare(entry.limit, entry.limit == 0 ? 0 : share, all, released);
  }
  state.has_surplus = surplus;
}

}  // namespace sluice::limit
