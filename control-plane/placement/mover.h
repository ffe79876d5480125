#pragma once

// Takes gateways from cells that drain to others, make-before-break: the nodes of both cells serve a gateway before
// those of the old one let go of it. Every replica has one; a step that another has taken meanwhile is left as it is. A
// thread of its own.

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "common/quota/lease.h"
#include "control-plane/placement/directory.h"

namespace sluice::placement {

inline constexpr Duration kMoveInterval = std::chrono::milliseconds(250);
inline constexpr size_t kMaxMoving = 1000;  // gateways at once
// After every node of a cell has a smaller part of a limit: until nothing lent of the larger one can be used, and the
// window of those requests is over.
inline constexpr Duration kSettleTime = quota::kRestore + std::chrono::seconds(1);

struct MoverDeps {
  Directory& directory;
  index::Index& index;
  const sync::Registry& registry;
  const Clock& clock;
  // For which both cells serve a gateway after clients are told of the new one: what they may remember of the old one.
  Duration overlap = std::chrono::seconds(60);
};

class Mover {
 public:
  explicit Mover(MoverDeps deps) : deps_(deps) {}
  ~Mover();
  Mover(const Mover&) = delete;

  void Start();  // the thread
  void Step();   // one look at everything, as the thread does every kMoveInterval

 private:
  struct Wait {
    store::Move move;
    MonotonicTime since;  // when what the step waits for was first seen
  };
  void Advance(const std::vector<Cell>& cells, std::vector<store::PlacementChange>& changes);
  void Begin(const std::vector<Cell>& cells, std::vector<store::PlacementChange>& changes) const;
  bool IsDue(const index::Entry& entry, const std::vector<Cell>& cells);
  bool Met(const index::Entry& entry, const std::vector<Cell>& cells) const;
  bool AllHave(const std::string& cell, const std::vector<Cell>& cells, int64_t revision) const;
  bool TakenBy(const std::string& cell, const index::Entry& entry) const;

  const MoverDeps deps_;
  std::map<std::string, Wait> waits_;  // by gateway
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sluice::placement
