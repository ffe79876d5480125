#pragma once

// Keeps as many nodes running as are wanted: slots 1 to N of a cell, N from bounds and load. At most one is started,
// stopped or taken off a turn. Acts for a cell only while this replica leads it. Tick() and the driver belong to one
// thread, which ProvisionLoop is; the totals may be read by all.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "control-plane/fleet/trust.h"
#include "control-plane/provision/driver.h"
#include "control-plane/provision/target.h"
#include "control-plane/store/store.h"

namespace sluice::provision {

inline constexpr Duration kTick = std::chrono::seconds(1);
inline constexpr Duration kBusyTick = std::chrono::milliseconds(250);  // while something is not as it should be
inline constexpr Duration kLoadInterval = std::chrono::seconds(15);
inline constexpr Duration kTokenLife = std::chrono::minutes(10);
// A node is started again after a time between nothing and a bound, which doubles with every start that it did not
// survive for kStable.
inline constexpr Duration kFirstPause = std::chrono::seconds(1);
inline constexpr Duration kMaxPause = std::chrono::seconds(60);
inline constexpr Duration kStable = std::chrono::seconds(60);
inline constexpr Duration kSettle = std::chrono::seconds(3);  // what a new program's file may still take to be whole
// Replicas write down who has arrived every 10 s: a node that is taken off before the last of them has would come back.
inline constexpr Duration kForgetAfter = std::chrono::seconds(25);

// The nodes of one cell: the slots from `first_slot` on, which are no other cell's.
struct CellPlan {
  std::string cell = store::kDefaultCell;
  int first_slot = 1;
  Bounds bounds;
  double requests_per_node = 0;  // a second; 0: `bounds.min` nodes, whatever the load
  Duration scale_down_after = kStabilization;
};

struct ProvisionTotals {
  // As of the last turn; 0 while another replica leads.
  std::atomic<int> wanted{0}, running{0}, ready{0};
  std::atomic<int> pending{0};  // slots that are not as they should be
  std::atomic<uint64_t> turns{0}, starts{0}, restarts{0}, replacements{0}, removals{0}, errors{0};
};

// Everything referred to outlives the provisioner.
struct ProvisionDeps {
  Driver& driver;
  store::Store& store;
  const fleet::Trust& trust;
  const Clock& clock;
  std::string prefix;  // of the nodes' names
  std::function<bool(const std::string& cell)> leads;
  std::function<bool(const std::string& node)> is_connected;
  std::function<absl::StatusOr<double>(const std::string& cell)> load;  // requests a second
};

class Provisioner {
 public:
  Provisioner(ProvisionDeps deps, std::vector<CellPlan> plans);

  void Tick();
  const ProvisionTotals& totals() const { return totals_; }

 private:
  // What is remembered of a slot between turns; nothing that another control plane would have to know.
  struct Slot {
    int starts = 0;            // since it last ran for kStable
    MonotonicTime start_at{};  // not before
    bool replaced = false;     // it was told to end in order to be started anew
    std::optional<MonotonicTime> ready_since, outdated_since, exited_since;
  };
  struct Cell {
    CellPlan plan;
    Target target;
    bool leads = false;
    MonotonicTime load_at{};
  };
  struct Counts {
    int wanted = 0, running = 0, ready = 0, pending = 0;
  };
  using Instances = std::map<int, Instance>;  // by slot

  void Turn(Cell& cell, const Instances& all, Counts& counts);
  int Wanted(Cell& cell, const Instances& own);
  void Watch(const Instances& own);
  bool StartOne(Cell& cell, const Instances& own, int wanted);
  bool StopOne(const Cell& cell, const Instances& own, int wanted);
  bool ReplaceOne(const Cell& cell, const Instances& own, int wanted);
  void Start(const Cell& cell, int slot, const Instance* exited, const std::string& reason);
  void TakeOff(const Instance& instance);
  absl::StatusOr<std::string> NewToken(const std::string& node, const std::string& cell);
  void Failed(const std::string& what, const absl::Status& why);
  static void Count(const Cell& cell, const Instances& own, int wanted, Counts& counts);

  const ProvisionDeps deps_;
  std::vector<Cell> cells_;
  std::map<int, Slot> slots_;
  std::map<std::string, std::string> said_;  // what was last said to be wrong, by what it is with
  ProvisionTotals totals_;
};

// Ticks every kTick, or kBusyTick, on a thread of its own, until it goes.
class ProvisionLoop {
 public:
  explicit ProvisionLoop(Provisioner& provisioner);
  ~ProvisionLoop();
  ProvisionLoop(const ProvisionLoop&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sluice::provision
