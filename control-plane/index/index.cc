#include "control-plane/index/index.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace sluice::index {
namespace {

uint32_t LimitOf(Entry& entry) {
  if (!entry.request_limit) {
    config::v1::GatewayConfig config;
    const bool read = entry.config != nullptr && !entry.of_owner && config.ParseFromString(*entry.config);
    entry.request_limit = read ? config.plan().requests_per_second() : 0;
  }
  return *entry.request_limit;
}

}  // namespace

std::optional<store::Part> Entry::ServedBy(const store::Scope& scope) const {
  if (of_owner) {
    return scope == store::Scope::OfGateway(gateway_id) ? std::optional(store::Part::kAll) : std::nullopt;
  }
  if (!scope.is_cell()) return std::nullopt;
  const std::optional<store::Part> part = store::PartOf(placement, scope.name());
  const bool is_nothing = part && request_limit.value_or(0) > 0 && LimitOf(*part) == 0;
  return is_nothing ? std::nullopt : part;
}

absl::Status Index::Refresh() {
  std::lock_guard refreshing(refresh_mutex_);
  bool moved = false;
  absl::Status status;
  while (status.ok()) {
    auto rows = store_.ConfigsAfter(head(), kRowsPerRead);
    if (!rows.ok()) {
      status = rows.status();
    } else if (rows->empty()) {
      status = CheckClock();
      break;
    } else {
      const bool all = rows->size() < static_cast<size_t>(kRowsPerRead);
      status = Take(*std::move(rows));
      moved = moved || status.ok();
      if (all) break;
    }
  }
  if (moved) Wake();
  return status;
}

void Index::Committed(std::vector<store::ConfigRow> rows) {
  {
    std::lock_guard refreshing(refresh_mutex_);
    if (head() + 1 == rows.front().revision && Take(std::move(rows)).ok()) return Wake();
  }
  Refresh().IgnoreError();  // the doorbell rings for it as well
}

// The clock never runs backwards, unless the database was restored under us.
absl::Status Index::CheckClock() {
  auto clock = store_.HeadRevision();
  if (!clock.ok()) return clock.status();
  if (*clock < head()) {
    return absl::DataLossError(absl::StrCat("the database is at revision ", *clock, ", behind ", head(),
                                            " that was served: it was restored; restart to serve its state"));
  }
  auto horizon = store_.Horizon();
  if (!horizon.ok()) return horizon.status();
  Purge(*horizon);
  return absl::OkStatus();
}

absl::Status Index::Take(std::vector<store::ConfigRow> rows) {
  std::lock_guard lock(mutex_);
  if (head_ > 0 && rows.front().horizon > head_) {
    return absl::DataLossError(absl::StrCat("the database has forgotten removals up to revision ",
                                            rows.front().horizon, ", and this replica has read up to ", head_,
                                            " only: restart it"));
  }
  for (store::ConfigRow& row : rows) {
    head_ = row.revision;
    Put(std::move(row));
  }
  return absl::OkStatus();
}

void Index::Put(store::ConfigRow row) {
  Entry entry{row.revision, row.gateway_id, row.kind == config::v1::SELF_MANAGED, std::move(row.placement),
              row.removed};
  if (!row.removed) entry.config = std::make_shared<const std::string>(std::move(row.config));
  int64_t& known = revision_of_[row.gateway_id];
  const auto before = by_revision_.find(known);
  entry.good = row.good;
  if (row.unreadable) {
    unreadable_.insert(row.gateway_id);
    if (before != by_revision_.end()) entry.request_limit = LimitOf(before->second);  // nodes serve that one on
  } else {
    unreadable_.erase(row.gateway_id);
  }
  if (entry.placement.move != store::Move::kNone) LimitOf(entry);  // its parts are asked for
  Drop(known);
  known = row.revision;
  Count(entry);
  by_revision_.emplace(row.revision, std::move(entry));
}

void Index::Drop(int64_t revision) {
  const auto entry = by_revision_.find(revision);
  if (entry == by_revision_.end()) return;
  const std::string& id = entry->second.gateway_id;
  moving_.erase(id);
  const auto at_rest = at_rest_.find(entry->second.placement.cell);
  if (at_rest != at_rest_.end()) at_rest->second.erase(id);
  by_revision_.erase(entry);
}

void Index::Count(const Entry& entry) {
  if (entry.of_owner || entry.removed) return;
  if (entry.placement.move == store::Move::kNone) {
    at_rest_[entry.placement.cell].insert(entry.gateway_id);
  } else {
    moving_.insert(entry.gateway_id);
  }
}

void Index::Purge(int64_t horizon) {
  std::lock_guard lock(mutex_);
  if (horizon <= horizon_) return;
  horizon_ = horizon;
  const auto end = by_revision_.upper_bound(horizon);
  for (auto entry = by_revision_.begin(); entry != end;) {
    if (entry->second.removed) {
      revision_of_.erase(entry->second.gateway_id);
      entry = by_revision_.erase(entry);
    } else {
      ++entry;
    }
  }
}

void Index::Wake() {
  std::lock_guard lock(watchers_mutex_);
  for (const auto& [handle, wake] : watchers_) wake();
}

std::optional<Entry> Index::After(int64_t cursor) const {
  std::lock_guard lock(mutex_);
  const auto next = by_revision_.upper_bound(cursor);
  if (next == by_revision_.end()) return std::nullopt;
  return next->second;
}

int64_t Index::head() const {
  std::lock_guard lock(mutex_);
  return head_;
}

int64_t Index::horizon() const {
  std::lock_guard lock(mutex_);
  return horizon_;
}

int64_t Index::unreadable() const {
  std::lock_guard lock(mutex_);
  return static_cast<int64_t>(unreadable_.size());
}

std::optional<Entry> Index::Find(const std::string& gateway_id) const {
  std::lock_guard lock(mutex_);
  const Entry* const entry = Latest(gateway_id);
  return entry == nullptr ? std::nullopt : std::optional(*entry);
}

const Entry* Index::Latest(const std::string& gateway_id) const {
  const auto revision = revision_of_.find(gateway_id);
  return revision == revision_of_.end() ? nullptr : &by_revision_.at(revision->second);
}

bool Index::Serves(const std::string& gateway_id, const store::Scope& scope) const {
  std::lock_guard lock(mutex_);
  const Entry* const entry = Latest(gateway_id);
  return entry == nullptr ? scope.is_cell() : entry->ServedBy(scope).has_value();
}

bool Index::Served(const std::string& gateway_id, const store::Scope& scope) const {
  std::lock_guard lock(mutex_);
  const Entry* const entry = Latest(gateway_id);
  if (entry == nullptr) return scope.is_cell();
  if (entry->of_owner || !scope.is_cell()) return entry->ServedBy(scope).has_value();
  return scope.name() == entry->placement.cell || scope.name() == entry->placement.other;
}

uint32_t Index::RequestLimit(const std::string& gateway_id, const std::string& cell) {
  std::lock_guard lock(mutex_);
  const auto revision = revision_of_.find(gateway_id);
  if (revision == revision_of_.end()) return 0;
  Entry& entry = by_revision_.at(revision->second);
  const uint32_t limit = LimitOf(entry);
  const std::optional<store::Part> part = entry.ServedBy(store::Scope::OfCell(cell));
  return part ? store::LimitOf(*part, limit) : 0;
}

std::map<std::string, CellLoad> Index::Loads() const {
  std::lock_guard lock(mutex_);
  std::map<std::string, CellLoad> loads;
  for (const auto& [cell, gateways] : at_rest_) {
    if (!gateways.empty()) loads[cell].gateways = static_cast<int64_t>(gateways.size());
  }
  for (const std::string& id : moving_) {
    const store::Placement& placement = by_revision_.at(revision_of_.at(id)).placement;
    ++loads[store::Destination(placement)].gateways;
    ++loads[store::Origin(placement)].leaving;
  }
  return loads;
}

std::vector<std::string> Index::In(const std::string& cell, size_t most) const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  const auto at_rest = at_rest_.find(cell);
  if (at_rest == at_rest_.end()) return ids;
  for (auto id = at_rest->second.begin(); id != at_rest->second.end() && ids.size() < most; ++id) ids.push_back(*id);
  return ids;
}

std::vector<std::string> Index::Moving() const {
  std::lock_guard lock(mutex_);
  return {moving_.begin(), moving_.end()};
}

int64_t Index::Watch(std::function<void()> wake) {
  std::lock_guard lock(watchers_mutex_);
  watchers_.emplace(next_watcher_, std::move(wake));
  return next_watcher_++;
}

void Index::Unwatch(int64_t handle) {
  std::lock_guard lock(watchers_mutex_);
  watchers_.erase(handle);
}

}  // namespace sluice::index
