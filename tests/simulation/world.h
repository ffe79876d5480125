#pragma once

// Allocators and nodes over a network that delays, stalls, breaks and partitions, in a time of its own: one seed is one
// history, the same on every machine. Nodes have clocks that run unequally fast and at other times; they crash, are
// stopped and continued; allocators are replaced while the old one goes on believing in itself.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "common/quota/allocator.h"
#include "common/quota/holder.h"
#include "common/quota/sliding_window.h"

namespace sluice::simulation {

inline constexpr double kMaxDrift = 5e-5;  // of a node's clock

struct Network {
  Duration min_delay = std::chrono::microseconds(100);
  Duration max_delay = std::chrono::milliseconds(2);
};

class World;

class Node final : public quota::Windows {
 public:
  Node(World& world, std::string name);

  // A request that arrived at `arrived`; while more slots are on their way it waits for a moment.
  void Request(const std::string& gateway, MonotonicTime arrived);

  void Start();
  void Crash(bool with_farewell);
  void Pause(Duration time);
  void Isolate(Duration time);  // nothing gets in or out
  bool running() const { return holder_ != nullptr; }
  bool isolated() const;
  const std::string& name() const { return name_; }
  uint64_t term() const { return term_; }
  void SetLimit(const std::string& gateway, uint32_t limit);

  uint32_t Limit(const std::string& gateway) const override;
  uint64_t Asked(const std::string& gateway) const override;
  quota::Slots Resize(const std::string& gateway, uint32_t share, const quota::Slots& more) override;
  void Refresh() override;
  bool Keep(const quota::Bases& bases) override;

 private:
  friend class World;
  struct Window {
    uint32_t limit = 0;
    std::shared_ptr<quota::SlidingWindow> slots;
    uint64_t asked = 0;
    MonotonicTime wanted_at{};
  };
  MonotonicTime Now() const;  // on its own clock
  void Wake();                // does what is due
  void Schedule();
  void SetShare(Window& window, uint32_t share);
  void Connect();
  void Deliver(uint64_t connection, const quota::Answer& answer);
  void Broken(uint64_t connection);
  bool Paused() const;
  bool Admit(Window& window, const std::string& gateway);

  World& world_;
  const std::string name_;
  std::map<std::string, uint32_t> limits_;
  std::map<std::string, Window> windows_;
  std::optional<quota::Bases> on_disk_;
  std::unique_ptr<quota::Holder> holder_;
  uint64_t process_ = 0;  // counts starts
  bool left_ = false;     // with a farewell
  MonotonicTime not_before_{};
  MonotonicTime paused_until_{};
  MonotonicTime isolated_until_{};
  double rate_ = 1;
  Duration offset_{};
  uint64_t connection_ = 0;  // 0: none
  uint64_t term_ = 0;
  MonotonicTime woken_at_{};
};

// A control plane replica that owns, or believes to own, the cell.
struct Owner {
  uint64_t term;
  std::unique_ptr<quota::Allocator> allocator;
  bool alive = true;
  MonotonicTime confirmed_until{};  // by the store, in which one at a time is confirmed
  MonotonicTime stopped_until{};
  std::map<std::string, uint64_t> connections;  // by node
};

class World {
 public:
  World(uint64_t seed, Network network);
  ~World();

  MonotonicTime now() const { return now_; }
  std::mt19937_64& random() { return random_; }
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  void At(MonotonicTime time, std::function<void()> action);
  void After(Duration time, std::function<void()> action) { At(now_ + time, std::move(action)); }
  void RunFor(Duration time);

  Node& AddNode(const std::string& name);
  std::map<std::string, std::unique_ptr<Node>>& nodes() { return nodes_; }
  void SetLimit(const std::string& gateway, uint32_t limit);  // reaches every node some time later
  uint32_t limit(const std::string& gateway) const { return limits_.at(gateway); }
  void SetMembers();  // the nodes there are
  // Another replica takes over. The one before is dead, or goes on.
  void NewOwner(bool kill_the_old);  // when what the store granted the old one has ended
  void StopOwner(Duration time);
  void BreakConnection(const std::string& node);
  void RemoveNode(const std::string& node);  // crashed for good; an operator says so

  void Trace(const std::string& who, const std::string& what) const;  // with SLUICE_TRACE, for the one who debugs
  // Admitted requests, by gateway.
  std::map<std::string, std::vector<MonotonicTime>> admitted;

 private:
  friend class Node;
  struct Event {
    MonotonicTime time;
    uint64_t order;
    std::function<void()> action;
    bool operator<(const Event& other) const { return std::tie(other.time, other.order) < std::tie(time, order); }
  };
  struct Connection {
    std::string node;
    Owner* owner;
    MonotonicTime to_node{}, to_owner{};  // when the latest message arrives: order is kept
    bool node_knows_broken = false, owner_knows_broken = false;
  };
  Duration Delay();
  uint64_t Open(Node& node);  // 0: nobody answers
  void Break(uint64_t connection);
  void ToOwner(uint64_t connection, const quota::Report& report);
  void ReportArrives(uint64_t connection, const quota::Report& report);
  void Pump(Owner& owner);
  void TickOwner(Owner& owner);
  void TakeOver();
  void Persist(Owner& owner);
  MonotonicTime ArrivalAt(MonotonicTime& latest, const Node& node);

  std::mt19937_64 random_;
  const Network network_;
  MonotonicTime now_;
  uint64_t order_ = 0;
  std::priority_queue<Event> events_;
  std::map<std::string, std::unique_ptr<Node>> nodes_;
  std::map<std::string, uint32_t> limits_;
  std::vector<std::unique_ptr<Owner>> owners_;
  std::map<uint64_t, Connection> connections_;
  uint64_t next_connection_ = 1;
  quota::Allocator::Members durable_;
  std::vector<std::string> members_;
  bool taking_over_ = false;
};

}  // namespace sluice::simulation
