#pragma once

// What starts and stops nodes: one interface, an implementation for each place where nodes can run. One thread at a
// time; calls may block, but never for longer than kMaxCall.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"

namespace sluice::provision {

inline constexpr int kMaxNodes = 100;  // of one provisioner
inline constexpr Duration kMaxCall = std::chrono::seconds(10);
// A node told to end accepts for 2 s, has 30 s for what has begun, and says goodbye; then it is killed.
inline constexpr Duration kMaxStop = std::chrono::seconds(45);

enum class State { kRunning, kStopping, kExited };

struct Instance {
  std::string name;
  int slot = 0;
  State state = State::kRunning;
  bool ready = false;     // it says so itself: requests may be sent to it
  bool outdated = false;  // what would be started now differs from what runs
};

struct Launch {
  std::string name;
  std::string cell;
  int slot = 0;
  // A join token of that cell, single use; the name is free afterwards. Asked for only by a driver that finds no
  // identity with which the node could go on.
  std::function<absl::StatusOr<std::string>()> token;
};

// Where the nodes of a machine listen: slot k on each of these plus kStride(k-1).
struct PortPlan {
  static constexpr int kStride = 10;
  int http = 8000;
  int https = 8443;
  int ops = 8100;

  static int Of(int first, int slot) { return first + kStride * (slot - 1); }
};

class Driver {
 public:
  virtual ~Driver() = default;

  // Everything of this provisioner, whoever started it: also what a control plane before this one did. Kills what has
  // been stopping for kMaxStop. UNAVAILABLE: it is not known.
  virtual absl::StatusOr<std::vector<Instance>> List() = 0;
  // A node that is not there, or has exited. Returns once it runs, which says nothing of its being ready.
  virtual absl::Status Start(const Launch& launch) = 0;
  // Tells it to drain and end; returns at once. OK where it has ended already.
  virtual absl::Status Stop(const std::string& name) = 0;
  // Of one that has exited: its identity, its disk, everything.
  virtual absl::Status Forget(const std::string& name) = 0;
};

// "node-3"; and 3 of it. nullopt: not a name of that prefix.
std::string NameOf(std::string_view prefix, int slot);
std::optional<int> SlotOf(std::string_view prefix, std::string_view name);

}  // namespace sluice::provision
