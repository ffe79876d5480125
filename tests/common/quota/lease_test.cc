// The allocator and two nodes, over a network without delay. What befalls them otherwise: tests/simulation.

#include "common/quota/lease.h"

#include <map>

#include "catch2/catch.hpp"
#include "common/quota/allocator.h"
#include "common/quota/holder.h"

namespace sluice::quota {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint32_t kLimit = 100;
const std::string kGateway = "aurora";

struct Node final : Windows {
  explicit Node(MonotonicTime now) : holder(*this, now) {}
  uint32_t Limit(const std::string& gateway) const override { return gateway == kGateway ? kLimit : 0; }
  uint64_t Asked(const std::string&) const override { return asked; }
  Slots Resize(const std::string&, uint32_t to, const Slots&) override {
    const Slots released(share > to ? share - to : 0, MonotonicTime{});
    share = to;
    return released;
  }
  void Refresh() override { share = holder.Share(kGateway, kLimit); }
  bool Keep(const Bases& bases) override {
    kept = bases;
    return disk;
  }

  uint32_t share = 0;
  uint64_t asked = 0;
  Bases kept;
  bool disk = true;
  bool connected = false;
  Holder holder;
};

struct Cell {
  MonotonicTime now{std::chrono::hours(1)};
  Allocator allocator{{}, 1, [](const std::string& gateway) { return gateway == kGateway ? kLimit : 0; }, now};
  std::map<std::string, Node> nodes;

  Cell() {
    allocator.SetMembers({"a", "b"}, now);
    for (const char* name : {"a", "b"}) Connect(nodes.try_emplace(name, now).first->second);
    Run(seconds(3));
  }
  Node& a() { return nodes.at("a"); }
  Node& b() { return nodes.at("b"); }
  void Connect(Node& node) {
    node.connected = true;
    node.holder.Connected(now);
  }
  void Disconnect(const std::string& name) {
    nodes.at(name).connected = false;
    nodes.at(name).holder.Disconnected();
    allocator.Disconnected(name);
  }
  void Run(Duration time) {
    for (const MonotonicTime end = now + time; now < end; now += milliseconds(10)) {
      allocator.Confirmed(now + seconds(1));
      if (const auto proposal = allocator.Proposal(now)) allocator.Commit(*proposal);
      for (auto& [name, node] : nodes) {
        node.holder.Tick(now);
        if (!node.connected) continue;
        while (const auto report = node.holder.NextReport(now)) allocator.Receive(name, *report, now);
      }
      for (const auto& [name, answer] : allocator.Answers(now)) {
        if (nodes.at(name).connected) nodes.at(name).holder.Receive(answer, now);
      }
    }
  }
  // Asks for so many a second.
  void Load(Node& node, Duration time, uint64_t rate) {
    for (const MonotonicTime end = now + time; now < end;) {
      node.asked += rate / 20;
      node.holder.Want(kGateway);
      Run(milliseconds(50));
    }
  }
};

TEST_CASE("members share a limit evenly, and nothing is leased at rest") {
  Cell cell;
  CHECK(cell.a().share + cell.b().share == kLimit);
  CHECK(cell.a().share == kLimit / 2);
  CHECK(cell.allocator.leases() == 0);
}

TEST_CASE("slots go where they are wanted, and home when they are not") {
  Cell cell;
  cell.Load(cell.a(), seconds(1), 500);
  CHECK(cell.a().share >= 95);
  CHECK(cell.a().share + cell.b().share == kLimit);
  CHECK(cell.allocator.leases() == 1);
  cell.Run(kRestAfter + seconds(2));
  CHECK(cell.a().share == kLimit / 2);
  CHECK(cell.b().share == kLimit / 2);
  CHECK(cell.allocator.leases() == 0);
}

TEST_CASE("without an allocator surplus ends first, and deficits end when no trace of it is left") {
  Cell cell;
  cell.Load(cell.a(), seconds(1), 500);
  cell.Disconnect("a");
  cell.Disconnect("b");
  const uint32_t lent = cell.b().share;
  cell.Run(kSurplusLife + milliseconds(20));
  CHECK(cell.a().share == kLimit / 2);
  CHECK(cell.b().share == lent);
  cell.Run(kRestore - kSurplusLife);
  CHECK(cell.b().share == kLimit / 2);
}

TEST_CASE("a silent node's share is kept for it, also while others would use it") {
  Cell cell;
  cell.Load(cell.a(), seconds(1), 500);
  cell.Disconnect("b");
  cell.Load(cell.a(), kRestore + seconds(1), 500);
  CHECK(cell.a().share == kLimit / 2);
  CHECK(cell.b().share == kLimit / 2);
}

TEST_CASE("a node that has just started holds nothing until it is told to start") {
  Cell cell;
  Node& fresh = cell.nodes.try_emplace("c", cell.now).first->second;
  CHECK(fresh.holder.Share(kGateway, kLimit) == 0);
  CHECK_FALSE(fresh.holder.started());
  cell.Connect(fresh);
  cell.Run(milliseconds(100));
  CHECK(fresh.holder.started());
  CHECK(fresh.share == 0);  // no member yet
}

TEST_CASE("a new member has its part when the others have made room") {
  Cell cell;
  cell.Connect(cell.nodes.try_emplace("c", cell.now).first->second);
  cell.allocator.SetMembers({"a", "b", "c"}, cell.now);
  cell.Run(milliseconds(500));
  CHECK(cell.a().share + cell.b().share <= 67);
  CHECK(cell.nodes.at("c").share == 0);
  cell.Run(seconds(3));
  CHECK(cell.a().share + cell.b().share + cell.nodes.at("c").share == kLimit);
  CHECK(cell.nodes.at("c").share >= 33);
}

TEST_CASE("a membership that a node cannot keep is not committed") {
  Cell cell;
  cell.a().disk = false;
  cell.allocator.SetMembers({"a", "b", "c"}, cell.now);
  cell.Run(seconds(3));
  CHECK(cell.allocator.committed().names == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a member that cannot be reached stops a new membership, unless it is taken off") {
  Cell cell;
  cell.Disconnect("b");
  cell.allocator.SetMembers({"a", "b", "c"}, cell.now);
  cell.Run(seconds(3));
  CHECK(cell.allocator.committed().names.size() == 2);
  cell.allocator.SetMembers({"a", "c"}, cell.now);
  cell.Run(seconds(3));
  CHECK(cell.allocator.committed().names == std::vector<std::string>{"a", "c"});
  CHECK(cell.a().share == kLimit / 2);
}

}  // namespace
}  // namespace sluice::quota
