#include "data-plane/sync/usage_log.h"

#include <utility>

namespace sluice::sync {
namespace {

v1::GatewayUsage Minus(const v1::GatewayUsage& after, const v1::GatewayUsage& before) {
  v1::GatewayUsage added;
  added.set_requests(after.requests() - before.requests());
  added.set_refused(after.refused() - before.refused());
  added.set_limited(after.limited() - before.limited());
  added.set_too_large(after.too_large() - before.too_large());
  added.set_failed(after.failed() - before.failed());
  added.set_request_bytes(after.request_bytes() - before.request_bytes());
  added.set_response_bytes(after.response_bytes() - before.response_bytes());
  return added;
}

void Add(const v1::GatewayUsage& more, v1::GatewayUsage& sum) {
  sum.set_requests(sum.requests() + more.requests());
  sum.set_refused(sum.refused() + more.refused());
  sum.set_limited(sum.limited() + more.limited());
  sum.set_too_large(sum.too_large() + more.too_large());
  sum.set_failed(sum.failed() + more.failed());
  sum.set_request_bytes(sum.request_bytes() + more.request_bytes());
  sum.set_response_bytes(sum.response_bytes() + more.response_bytes());
}

// Both by gateway, each once.
void Merge(const v1::Usage& more, v1::Usage& sum) {
  absl::flat_hash_map<std::string, v1::GatewayUsage*> known;
  for (v1::GatewayUsage& gateway : *sum.mutable_gateways()) known[gateway.gateway_id()] = &gateway;
  for (const v1::GatewayUsage& gateway : more.gateways()) {
    const auto found = known.find(gateway.gateway_id());
    if (found != known.end()) {
      Add(gateway, *found->second);
    } else {
      *sum.add_gateways() = gateway;
    }
  }
  sum.set_minute(more.minute());
}

}  // namespace

void UsageLog::Note(int64_t minute, const UsageTotals& totals) {
  std::lock_guard lock(mutex_);
  v1::Usage usage;
  usage.set_minute(minute);
  for (const auto& [id, total] : totals) {
    v1::GatewayUsage& noted = noted_[id];
    if (total.requests() == noted.requests()) continue;
    if (static_cast<size_t>(usage.gateways_size()) == kMaxGateways) break;
    v1::GatewayUsage& gateway = *usage.add_gateways();
    gateway = Minus(total, noted);
    gateway.set_gateway_id(id);
    noted = total;
  }
  if (reports_.size() >= kMaxReports) {
    if (usage.gateways_size() > 0) Merge(usage, overflow_);
    return;
  }
  if (overflow_.gateways_size() > 0) Push(std::exchange(overflow_, v1::Usage()));
  if (usage.gateways_size() > 0) Push(std::move(usage));
}

void UsageLog::Push(v1::Usage usage) {
  usage.set_process(process_);
  usage.set_number(++last_number_);
  reports_.push_back(std::move(usage));
}

std::optional<v1::Usage> UsageLog::Next() {
  std::lock_guard lock(mutex_);
  if (sent_ || reports_.empty()) return std::nullopt;
  sent_ = true;
  return reports_.front();
}

void UsageLog::Kept(const v1::UsageKept& kept) {
  std::lock_guard lock(mutex_);
  if (reports_.empty() || kept.process() != process_ || kept.number() != reports_.front().number()) return;
  reports_.pop_front();
  sent_ = false;
}

void UsageLog::Resend() {
  std::lock_guard lock(mutex_);
  sent_ = false;
}

size_t UsageLog::waiting() const {
  std::lock_guard lock(mutex_);
  return reports_.size() + (overflow_.gateways_size() > 0 ? 1 : 0);
}

}  // namespace sluice::sync
