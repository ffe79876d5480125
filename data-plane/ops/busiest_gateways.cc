#include "data-plane/ops/busiest_gateways.h"

#include <algorithm>

namespace sluice::ops {
namespace {

proxy::GatewayCounts Minus(const proxy::GatewayCounts& after, const proxy::GatewayCounts& before) {
  proxy::GatewayCounts added = after;
  for (size_t i = 0; i < added.requests_by_class.size(); ++i) added.requests_by_class[i] -= before.requests_by_class[i];
  added.refused -= before.refused;
  added.limited -= before.limited;
  added.too_large -= before.too_large;
  added.request_bytes -= before.request_bytes;
  added.response_bytes -= before.response_bytes;
  return added;
}

}  // namespace

void BusiestGateways::Update(const absl::flat_hash_map<std::string, proxy::GatewayCounts>& totals,
                             const proxy::GatewayCounts& untracked) {
  std::vector<std::pair<std::string, proxy::GatewayCounts>> added;
  for (const auto& [id, total] : totals) {
    proxy::GatewayCounts delta = Minus(total, seen_[id]);
    if (delta.requests() > 0) added.emplace_back(id, std::move(delta));
  }
  std::sort(added.begin(), added.end(),
            [](const auto& a, const auto& b) { return a.second.requests() > b.second.requests(); });
  for (auto& [id, label] : labels_) ++label.idle_scrapes;
  for (const auto& [id, delta] : added) {
    auto label = labels_.find(id);
    if (label != labels_.end()) label->second.idle_scrapes = 0;
  }
  Retire();
  Admit(added);
  for (const auto& [id, delta] : added) {
    auto label = labels_.find(id);
    (label != labels_.end() ? label->second.counts : other_).Add(delta);
    seen_[id] = totals.at(id);
  }
  other_.Add(Minus(untracked, seen_untracked_));
  seen_untracked_ = untracked;
}

void BusiestGateways::Retire() {
  absl::erase_if(labels_, [](const auto& entry) { return entry.second.idle_scrapes > kIdleScrapes; });
}

void BusiestGateways::Admit(const std::vector<std::pair<std::string, proxy::GatewayCounts>>& added) {
  for (const auto& [id, delta] : added) {
    if (labels_.size() >= max_labels_) return;
    labels_.try_emplace(id);
  }
}

std::vector<BusiestGateways::Row> BusiestGateways::Rows() const {
  std::vector<Row> rows;
  for (const auto& [id, label] : labels_) rows.push_back({id, label.counts});
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.gateway < b.gateway; });
  rows.push_back({"other", other_});
  rows.back().counts.name = "other";
  return rows;
}

}  // namespace sluice::ops
