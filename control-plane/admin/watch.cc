#include "control-plane/admin/watch.h"

#include "common/schema/text.h"
#include "control-plane/admin/change.h"
#include "control-plane/admin/view.h"

namespace sluice::admin {

namespace {

using schema::Cat;

struct Slot {
  explicit Slot(std::atomic<int>& count) : count(count), number(++count) {}
  ~Slot() { --count; }
  std::atomic<int>& count;
  const int number;
};

// A gateway, and the index's head when it was read or before.
struct Read {
  store::GatewayRecord record;
  int64_t head = 0;
};

absl::Status Follow(const AdminDeps& deps, Call& call, Read read,
                    const std::function<bool(const v1::Gateway&)>& write) {
  std::string written;
  uint64_t seen = 0;
  while (!call.cancelled()) {
    const v1::Gateway now = ToGateway(deps, read.record);
    if (std::string bytes = now.SerializeAsString(); bytes != written) {
      if (!write(now)) break;
      written = std::move(bytes);
    }
    seen = deps.registry.WaitChange(seen, deps.clock.Now() + std::chrono::milliseconds(kWatchSliceMs));
    if (const int64_t latest = deps.index.head(); latest != read.head) {
      const absl::StatusOr<store::GatewayRecord> again = deps.store.GetGateway(read.record.id);
      if (absl::IsNotFound(again.status())) return NotFound("gateway", read.record.name, "it was deleted");
      if (!again.ok()) continue;  // the database is away: what nodes report is still worth seeing
      read = {*again, latest};
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Watch(const AdminDeps& deps, Call& call, const std::string& gateway, std::atomic<int>& watches,
                   const std::function<bool(const v1::Gateway&)>& write) {
  const Slot slot(watches);
  if (slot.number > kMaxWatches) {
    return WithReason(absl::StatusCode::kResourceExhausted,
                      Cat("at most ", kMaxWatches, " watches at once; try again later"), "WATCHES");
  }
  const int64_t before = deps.index.head();
  const absl::StatusOr<store::GatewayRecord> record = FindGateway(deps, call, gateway);
  if (!record.ok()) return record.status();
  return Follow(deps, call, {*record, before}, write);
}

}  // namespace sluice::admin
