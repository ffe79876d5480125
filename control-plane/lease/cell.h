#pragma once

// One cell's allocator on this replica, for as long as the replica owns the cell: takes and keeps the ownership, makes
// memberships durable, and carries messages between the allocator and the streams. A thread of its own for the
// database; everything else on the streams' threads, under one lock.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "common/quota/allocator.h"
#include "control-plane/store/cells.h"

namespace sluice::lease {

inline constexpr Duration kOwnership = std::chrono::seconds(3);      // without renewal
inline constexpr Duration kRenewInterval = std::chrono::milliseconds(500);
inline constexpr Duration kTakeInterval = std::chrono::milliseconds(250);
inline constexpr Duration kTurn = std::chrono::milliseconds(50);     // of the allocator
inline constexpr int64_t kEpochsPerTerm = 1'000'000;

// Where answers to one node go.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void Send(const quota::Answer& answer) = 0;
  virtual void End(const absl::Status& why) = 0;
};

class Cell {
 public:
  // `limit_of`: requests a second of a gateway, 0 for none; called often. `self` names this process to the others.
  Cell(std::string name, store::CellOwner self, std::unique_ptr<store::Cells> cells, const Clock& clock,
       std::function<uint32_t(const std::string&)> limit_of);
  ~Cell();  // gives the ownership up
  Cell(const Cell&) = delete;
  const std::string& name() const { return name_; }

  // The first report of a stream. FAILED_PRECONDITION: another replica owns the cell; owner_address() is where, if that
  // is known. An older stream of the node ends.
  absl::Status Connect(const std::string& node, Listener* listener, const quota::Report& hello);
  void Receive(const std::string& node, Listener* listener, const quota::Report& report);
  void Disconnected(const std::string& node, Listener* listener);
  // The node's process ends: its part is others' from now on.
  void Leave(const std::string& node, Listener* listener);
  std::string owner_address();
  bool leads();     // this replica owns the cell, as far as it knows
  size_t leases();  // gateways whose slots move between its nodes now; 0 where another replica owns the cell
  // Limits may have changed.
  void LimitsChanged();
  // Ends every stream, and takes none any more.
  void Shutdown();

 private:
  void Run();
  void Take();
  void Keep();
  void Enlisted();
  void Propose();
  void Pump();  // locked
  void Lose(const absl::Status& why);

  const std::string name_;
  const store::CellOwner self_;
  const std::unique_ptr<store::Cells> cells_;
  const Clock& clock_;
  const std::function<uint32_t(const std::string&)> limit_of_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::unique_ptr<quota::Allocator> allocator_;  // null: not the owner
  std::map<std::string, Listener*> listeners_;
  std::string owner_address_;           // of another owner; "": it is not known, or is this replica
  std::map<std::string, bool> enlist_;  // to be written: true to enlist, false to take off
  bool stop_ = false;
  bool closed_ = false;
  bool wakes_ = false;

  // The thread's.
  store::CellRecord record_;
  MonotonicTime renew_at_{};
  std::thread thread_;
};

}  // namespace sluice::lease
