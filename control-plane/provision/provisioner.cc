#include "control-plane/provision/provisioner.h"

#include <algorithm>
#include <utility>

#include "common/base/random.h"
#include "common/base/text.h"
#include "common/observe/log.h"
#include "control-plane/fleet/join_token.h"

namespace sluice::provision {
namespace {

constexpr int kMaxDoublings = 10;

Duration Pause(int starts) {
  const Duration bound = std::min(kMaxPause, kFirstPause * (int64_t{1} << std::min(starts, kMaxDoublings)));
  return Duration(static_cast<int64_t>(Random64() % static_cast<uint64_t>(bound.count())));
}

store::AuditRecord Audit(const std::string& action, const std::string& node) {
  std::string detail = "{\"node\":";
  log::AppendJsonString(detail, node);
  return {"provisioner", action, "", "", "", detail + "}", "OK"};
}

const Instance* Find(const std::map<int, Instance>& own, int slot) {
  const auto found = own.find(slot);
  return found == own.end() ? nullptr : &found->second;
}

}  // namespace

Provisioner::Provisioner(ProvisionDeps deps, std::vector<CellPlan> plans) : deps_(std::move(deps)) {
  for (CellPlan& plan : plans) {
    Target target(plan.bounds, plan.requests_per_node, plan.scale_down_after);
    cells_.push_back({std::move(plan), std::move(target)});
  }
}

void Provisioner::Tick() {
  bool any = false;
  for (Cell& cell : cells_) {
    const bool leads = deps_.leads(cell.plan.cell);
    if (!leads && std::exchange(cell.leads, false)) log::Info("another replica provisions", {{"cell", cell.plan.cell}});
    any |= leads;
  }
  Counts counts;
  if (any) {
    const auto listed = deps_.driver.List();
    if (!listed.ok()) return Failed("listing the nodes", listed.status());
    said_.erase("listing the nodes");
    Instances all;
    for (const Instance& instance : *listed) all[instance.slot] = instance;
    for (Cell& cell : cells_) {
      if (deps_.leads(cell.plan.cell)) Turn(cell, all, counts);
    }
    ++totals_.turns;
  }
  totals_.wanted = counts.wanted;
  totals_.running = counts.running;
  totals_.ready = counts.ready;
  totals_.pending = counts.pending;
}

void Provisioner::Turn(Cell& cell, const Instances& all, Counts& counts) {
  Instances own;
  for (const auto& [slot, instance] : all) {
    const bool elsewhere = std::any_of(cells_.begin(), cells_.end(), [&, at = slot](const Cell& other) {
      return &other != &cell && at >= other.plan.first_slot && at < other.plan.first_slot + other.plan.bounds.max;
    });
    if (!elsewhere && slot >= cell.plan.first_slot) own[slot] = instance;
  }
  const int wanted = Wanted(cell, own);
  Watch(own);
  if (!StartOne(cell, own, wanted) && !StopOne(cell, own, wanted)) ReplaceOne(cell, own, wanted);
  Count(cell, own, wanted, counts);
}

int Provisioner::Wanted(Cell& cell, const Instances& own) {
  const MonotonicTime now = deps_.clock.Now();
  const CellPlan& plan = cell.plan;
  if (!std::exchange(cell.leads, true)) {
    for (const auto& [slot, instance] : own) slots_.erase(slot);  // what was known is of another time
    int running = 0;
    for (const auto& [slot, instance] : own) running += instance.state == State::kRunning;
    cell.target.Begin(plan.requests_per_node > 0 ? running : plan.bounds.min, now);
    cell.load_at = now;
    log::Info("this replica provisions", {{"cell", plan.cell}, {"found", Cat(running)},
                                          {"wanted", Cat(cell.target.count())}});
  }
  if (plan.requests_per_node > 0 && now >= cell.load_at) {
    cell.load_at = now + kLoadInterval;
    const int before = cell.target.count();
    const auto load = deps_.load(plan.cell);
    if (!load.ok()) {
      Failed("reading the load", load.status());
      return before;
    }
    said_.erase("reading the load");
    cell.target.See(*load, now);
    if (const int count = cell.target.count(); count != before) {
      log::Info("another number of nodes is wanted",
                {{"cell", plan.cell}, {"from", Cat(before)}, {"to", Cat(count)}, {"requests_per_second", Cat(*load)},
                 {"requests_per_node", Cat(plan.requests_per_node)}});
    }
  }
  return cell.target.count();
}

// Notes since when each is as it is.
void Provisioner::Watch(const Instances& own) {
  const MonotonicTime now = deps_.clock.Now();
  const auto since = [now](std::optional<MonotonicTime>& time, bool is) {
    if (!is) time.reset();
    if (is && !time) time = now;
  };
  for (const auto& [number, instance] : own) {
    Slot& slot = slots_[number];
    since(slot.ready_since, instance.state == State::kRunning && instance.ready);
    since(slot.outdated_since, instance.state == State::kRunning && instance.outdated);
    since(slot.exited_since, instance.state == State::kExited);
    if (slot.ready_since && now - *slot.ready_since >= kStable) slot.starts = 0;
  }
}

bool Provisioner::StartOne(Cell& cell, const Instances& own, int wanted) {
  const MonotonicTime now = deps_.clock.Now();
  for (int number = cell.plan.first_slot; number < cell.plan.first_slot + wanted; ++number) {
    const Instance* instance = Find(own, number);
    if (instance != nullptr && instance->state != State::kExited) continue;
    if (now < slots_[number].start_at) continue;
    const std::string name = NameOf(deps_.prefix, number);
    if (instance == nullptr && deps_.is_connected(name)) {
      // Its name must not be taken from it: it serves.
      Failed(name, absl::AlreadyExistsError("a node of that name is connected that this provisioner did not start; "
                                            "stop it, or give another --node-prefix"));
      continue;
    }
    const std::string reason = instance == nullptr         ? Cat("the cell is to have ", wanted)
                               : slots_[number].replaced ? "it was outdated"
                                                         : "it ended by itself";
    Start(cell, number, instance, reason);
    return true;
  }
  return false;
}

void Provisioner::Start(const Cell& cell, int number, const Instance* exited, const std::string& reason) {
  Slot& slot = slots_[number];
  const std::string name = NameOf(deps_.prefix, number);
  slot.start_at = deps_.clock.Now() + Pause(slot.starts++);
  const absl::Status started = deps_.driver.Start(
      {name, cell.plan.cell, number, [&] { return NewToken(name, cell.plan.cell); }});
  if (!started.ok()) return Failed(name, started);
  said_.erase(name);
  const bool crashed = exited != nullptr && !slot.replaced;
  slot.replaced = false;
  ++totals_.starts;
  totals_.restarts += crashed;
  log::Write(crashed ? log::Level::kWarning : log::Level::kInfo, "node started",
             {{"node", name}, {"cell", cell.plan.cell}, {"reason", reason}});
}

// From the highest slot down, and the next one only when the one before has gone.
bool Provisioner::StopOne(const Cell& cell, const Instances& own, int wanted) {
  const int end = cell.plan.first_slot + wanted;
  for (auto it = own.rbegin(); it != own.rend() && it->first >= end; ++it) {
    const Instance& instance = it->second;
    if (instance.state == State::kStopping) return true;
    if (instance.state == State::kRunning) {
      const absl::Status told = deps_.driver.Stop(instance.name);
      if (!told.ok()) Failed(instance.name, told);
      if (told.ok()) {
        log::Info("node told to drain", {{"node", instance.name}, {"cell", cell.plan.cell},
                                         {"reason", Cat("the cell is to have ", wanted)}});
      }
      return true;
    }
    if (deps_.clock.Now() - *slots_[instance.slot].exited_since < kForgetAfter) continue;
    TakeOff(instance);
    return true;
  }
  return false;
}

// Of what has ended and is not wanted any more. Taken off the fleet first: where the rest fails, it is tried again.
void Provisioner::TakeOff(const Instance& instance) {
  absl::Status gone = deps_.store.RemoveNode(instance.name, Audit("RemoveNode", instance.name));
  if (gone.ok() || absl::IsNotFound(gone)) gone = deps_.driver.Forget(instance.name);
  if (!gone.ok()) return Failed(instance.name, gone);
  said_.erase(instance.name);
  slots_.erase(instance.slot);
  ++totals_.removals;
  log::Info("node taken off the fleet", {{"node", instance.name}});
}

// One after the other: the next when every other is ready.
bool Provisioner::ReplaceOne(const Cell& cell, const Instances& own, int wanted) {
  const MonotonicTime now = deps_.clock.Now();
  const Instance* outdated = nullptr;
  for (int number = cell.plan.first_slot; number < cell.plan.first_slot + wanted; ++number) {
    const Instance* instance = Find(own, number);
    if (instance == nullptr || instance->state != State::kRunning) return false;
    const std::optional<MonotonicTime>& since = slots_[number].outdated_since;
    const bool due = since && now - *since >= kSettle;
    // One that is not ready serves nobody: it goes first. Any other that is not ready is waited for.
    if (due && (outdated == nullptr || (outdated->ready && !instance->ready))) {
      if (outdated != nullptr && !outdated->ready) return false;
      outdated = instance;
    } else if (!instance->ready) {
      return false;
    }
  }
  if (outdated == nullptr) return false;
  const absl::Status told = deps_.driver.Stop(outdated->name);
  if (!told.ok()) {
    Failed(outdated->name, told);
    return true;
  }
  Slot& slot = slots_[outdated->slot];
  slot.replaced = true;
  slot.start_at = {};
  ++totals_.replacements;
  log::Info("node told to drain", {{"node", outdated->name}, {"cell", cell.plan.cell},
                                   {"reason", "its program, its arguments or a file that it reads has changed"}});
  return true;
}

absl::StatusOr<std::string> Provisioner::NewToken(const std::string& node, const std::string& cell) {
  // A node that lost its disk has left its name taken; nobody else is meant by it.
  const absl::Status freed = deps_.store.identities().RevokeNode(node, Audit("RevokeNode", node));
  if (!freed.ok() && !absl::IsNotFound(freed)) return freed;
  const std::string text = fleet::NewJoinToken(deps_.trust.oldest()->id());
  store::JoinTokenRecord record;
  record.id = RandomHex(12);
  record.scope = store::Scope::OfCell(cell);
  record.author = "provisioner";
  record.created = deps_.clock.WallNow();
  record.expires = record.created + std::chrono::duration_cast<WallTime::duration>(kTokenLife);
  const absl::Status put =
      deps_.store.identities().PutJoinToken(record, *fleet::HashJoinToken(text), Audit("CreateJoinToken", node));
  if (!put.ok()) return put;
  return text;
}

// Said once for each reason.
void Provisioner::Failed(const std::string& what, const absl::Status& why) {
  ++totals_.errors;
  const std::string reason(why.message());
  if (std::exchange(said_[what], reason) != reason) {
    log::Error("the provisioner cannot go on with this; it keeps trying", {{"what", what}, {"reason", reason}});
  }
}

void Provisioner::Count(const Cell& cell, const Instances& own, int wanted, Counts& counts) {
  int fine = 0, surplus = 0;
  for (const auto& [number, instance] : own) {
    const bool is_wanted = number < cell.plan.first_slot + wanted;
    counts.running += instance.state == State::kRunning;
    counts.ready += instance.state == State::kRunning && instance.ready;
    fine += is_wanted && instance.state == State::kRunning && instance.ready && !instance.outdated;
    surplus += !is_wanted && instance.state != State::kExited;
  }
  counts.wanted += wanted;
  counts.pending += wanted - fine + surplus;
}

ProvisionLoop::ProvisionLoop(Provisioner& provisioner)
    : thread_([this, &provisioner] {
        std::unique_lock lock(mutex_);
        while (!stop_) {
          lock.unlock();
          provisioner.Tick();
          lock.lock();
          const bool busy = provisioner.totals().pending > 0 || provisioner.totals().turns == 0;
          wake_.wait_for(lock, busy ? kBusyTick : kTick, [this] { return stop_; });
        }
      }) {}

ProvisionLoop::~ProvisionLoop() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

}  // namespace sluice::provision
