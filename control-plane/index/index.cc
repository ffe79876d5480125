#include "control-plane/index/index.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace sluice::index {
namespace {

uint32_t LimitOf(Entry& entry) {
  if (!entry.request_limit) {
    config::v1::GatewayConfig config;
    const bool read = entry.config != nullptr && entry.scope.is_cell() && config.ParseFromString(*entry.config);
    entry.request_limit = read ? config.plan().requests_per_second() : 0;
  }
  return *entry.request_limit;
}

}  // namespace

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
      status = Take(*std::move(rows));
      moved = moved || status.ok();
    }
  }
  if (moved) Wake();
  return status;
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
  const bool of_owner = row.kind == config::v1::SELF_MANAGED;
  Entry entry{row.revision, row.gateway_id,
              of_owner ? store::Scope::OfGateway(row.gateway_id) : store::Scope::OfCell(row.cell), row.removed};
  if (!row.removed) entry.config = std::make_shared<const std::string>(std::move(row.config));
  int64_t& known = revision_of_[row.gateway_id];
  const auto before = by_revision_.find(known);
  if (row.unreadable) {
    unreadable_.insert(row.gateway_id);
    if (before != by_revision_.end()) entry.request_limit = LimitOf(before->second);  // nodes serve that one on
  } else {
    unreadable_.erase(row.gateway_id);
  }
  if (before != by_revision_.end()) by_revision_.erase(before);
  known = row.revision;
  by_revision_.emplace(row.revision, std::move(entry));
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

store::Scope Index::ScopeOf(const std::string& gateway_id) const {
  std::lock_guard lock(mutex_);
  const auto revision = revision_of_.find(gateway_id);
  if (revision == revision_of_.end()) return store::Scope::OfCell(store::kDefaultCell);
  return by_revision_.at(revision->second).scope;
}

uint32_t Index::RequestLimit(const std::string& gateway_id) {
  std::lock_guard lock(mutex_);
  const auto revision = revision_of_.find(gateway_id);
  if (revision == revision_of_.end()) return 0;
  return LimitOf(by_revision_.at(revision->second));
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
