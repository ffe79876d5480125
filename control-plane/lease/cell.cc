#include "control-plane/lease/cell.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/observe/log.h"

namespace sluice::lease {

Cell::Cell(std::string name, store::CellOwner self, std::unique_ptr<store::Cells> cells, const Clock& clock,
           std::function<uint32_t(const std::string&)> limit_of)
    : name_(std::move(name)),
      self_(std::move(self)),
      cells_(std::move(cells)),
      clock_(clock),
      limit_of_(std::move(limit_of)) {
  thread_ = std::thread([this] { Run(); });
}

Cell::~Cell() {
  Shutdown();
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Cell::Run() {
  while (true) {
    bool owner;
    {
      std::unique_lock lock(mutex_);
      if (stop_) break;
      owner = allocator_ != nullptr;
      wake_.wait_for(lock, owner ? kTurn : kTakeInterval, [&] { return stop_ || std::exchange(wakes_, false); });
    }
    if (!owner) {
      Take();
      continue;
    }
    Keep();
    Enlisted();
    Propose();
    std::lock_guard lock(mutex_);
    Pump();
  }
  if (record_.term != 0) (void)cells_->Release(name_, record_.term);
}

void Cell::Take() {
  const MonotonicTime asked = clock_.Now();
  auto taken = cells_->Take(name_, self_, kOwnership);
  if (!taken.ok()) return;
  const auto address = taken->has_value() ? std::string() : cells_->OwnerAddress(name_);
  {
    std::lock_guard lock(mutex_);
    if (address.ok()) owner_address_ = *address;
  }
  if (!taken->has_value()) return;
  record_ = **taken;
  renew_at_ = asked + kRenewInterval;
  quota::Allocator::Members members{static_cast<uint64_t>(record_.epoch), record_.members, record_.guests};
  std::sort(members.names.begin(), members.names.end());
  std::lock_guard lock(mutex_);
  allocator_ = std::make_unique<quota::Allocator>(
      std::move(members), static_cast<uint64_t>(record_.term * kEpochsPerTerm), limit_of_, clock_.Now());
  allocator_->SetMembers(record_.enlisted, clock_.Now());
  allocator_->Confirmed(asked + kOwnership);
  log::Info("this replica allocates the cell's shares",
            {{"cell", name_}, {"term", std::to_string(record_.term)}});
}

void Cell::Keep() {
  const MonotonicTime asked = clock_.Now();
  if (asked < renew_at_) return;
  renew_at_ = asked + kRenewInterval;
  auto renewed = cells_->Renew(name_, record_.term, kOwnership);
  if (!renewed.ok()) return;  // what is not confirmed any more is seen to by the allocator
  if (!renewed->has_value()) return Lose(absl::FailedPreconditionError("another replica owns the cell"));
  record_.enlisted = (*renewed)->enlisted;
  std::lock_guard lock(mutex_);
  if (allocator_ == nullptr) return;
  allocator_->Confirmed(asked + kOwnership);
  allocator_->SetMembers(record_.enlisted, clock_.Now());
}

// What streams have said of who comes and goes.
void Cell::Enlisted() {
  std::map<std::string, bool> changes;
  {
    std::lock_guard lock(mutex_);
    changes = enlist_;
  }
  for (const auto& [node, enlists] : changes) {
    const absl::Status status = enlists ? cells_->Enlist(name_, node) : cells_->Delist(name_, node);
    if (!status.ok()) return;
    renew_at_ = {};  // to read it back
    std::lock_guard lock(mutex_);
    const auto current = enlist_.find(node);
    if (current != enlist_.end() && current->second == enlists) enlist_.erase(current);
  }
  if (!changes.empty()) Keep();
}

void Cell::Propose() {
  std::optional<quota::Allocator::Members> proposal;
  {
    std::lock_guard lock(mutex_);
    if (allocator_ != nullptr) proposal = allocator_->Proposal(clock_.Now());
  }
  if (!proposal) return;
  record_.epoch = static_cast<int64_t>(proposal->epoch);
  record_.members = proposal->names;
  record_.guests = proposal->guests;
  auto committed = cells_->Commit(name_, record_);
  if (!committed.ok()) return;  // tried again at the next turn
  if (!*committed) return Lose(absl::FailedPreconditionError("another replica owns the cell"));
  std::lock_guard lock(mutex_);
  if (allocator_ != nullptr) allocator_->Commit(*proposal);
}

void Cell::Lose(const absl::Status& why) {
  log::Warning("another replica allocates the cell's shares", {{"cell", name_}});
  record_ = {};
  std::lock_guard lock(mutex_);
  allocator_.reset();
  for (const auto& [node, listener] : std::exchange(listeners_, {})) listener->End(why);
}

void Cell::Pump() {
  if (allocator_ == nullptr) return;
  for (const auto& [node, answer] : allocator_->Answers(clock_.Now())) {
    const auto listener = listeners_.find(node);
    if (listener != listeners_.end()) listener->second->Send(answer);
  }
}

absl::Status Cell::Connect(const std::string& node, Listener* listener, const quota::Report& hello) {
  std::lock_guard lock(mutex_);
  if (closed_) return absl::UnavailableError("the control plane is stopping");
  if (allocator_ == nullptr) return absl::FailedPreconditionError("another replica owns the cell");
  Listener*& current = listeners_[node];
  if (current != nullptr) current->End(absl::AbortedError("the node opened a newer stream"));
  current = listener;
  quota::Report report = hello;
  report.hello = true;
  allocator_->Receive(node, report, clock_.Now());
  enlist_[node] = true;
  wakes_ = true;
  wake_.notify_all();
  Pump();
  return absl::OkStatus();
}

void Cell::Receive(const std::string& node, Listener* listener, const quota::Report& report) {
  std::lock_guard lock(mutex_);
  const auto current = listeners_.find(node);
  if (allocator_ == nullptr || current == listeners_.end() || current->second != listener) return;
  allocator_->Receive(node, report, clock_.Now());
  Pump();
}

void Cell::Disconnected(const std::string& node, Listener* listener) {
  std::lock_guard lock(mutex_);
  const auto current = listeners_.find(node);
  if (current == listeners_.end() || current->second != listener) return;
  listeners_.erase(current);
  if (allocator_ != nullptr) allocator_->Disconnected(node);
}

void Cell::Leave(const std::string& node, Listener* listener) {
  std::lock_guard lock(mutex_);
  const auto current = listeners_.find(node);
  if (allocator_ == nullptr || current == listeners_.end() || current->second != listener) return;
  enlist_[node] = false;
  wakes_ = true;
  wake_.notify_all();
}

std::string Cell::owner_address() {
  std::lock_guard lock(mutex_);
  return owner_address_;
}

bool Cell::leads() {
  std::lock_guard lock(mutex_);
  return allocator_ != nullptr && !closed_;
}

size_t Cell::leases() {
  std::lock_guard lock(mutex_);
  return allocator_ == nullptr ? 0 : allocator_->leases();
}

void Cell::LimitsChanged() {
  std::lock_guard lock(mutex_);
  if (allocator_ != nullptr) allocator_->SettleAll();
}

void Cell::Shutdown() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& [node, listener] : std::exchange(listeners_, {})) {
    listener->End(absl::UnavailableError("the control plane is stopping"));
  }
}

}  // namespace sluice::lease
