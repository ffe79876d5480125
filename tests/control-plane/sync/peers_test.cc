#include "control-plane/sync/peers.h"

#include <mutex>
#include <thread>

#include "catch2/catch.hpp"
#include "tests/support/eventually.h"
#include "tests/support/fake_store.h"

namespace sluice::sync {
namespace {

// The two tables, for all replicas of a test.
struct FakeDatabase {
  std::mutex mutex;
  std::map<std::string, store::ReplicaRecord> replicas;
  std::map<std::pair<std::string, std::string>, store::ConnectedNode> nodes;
  bool down = false;
  int reports = 0;
};

class FakeReplicas final : public store::Replicas {
 public:
  explicit FakeReplicas(FakeDatabase& database) : database_(database) {}
  absl::StatusOr<bool> Report(const store::ReplicaRecord& self, const std::vector<store::ConnectedNode>& put,
                              const std::vector<std::string>& gone) override {
    std::lock_guard lock(database_.mutex);
    if (database_.down) return absl::UnavailableError("down");
    ++database_.reports;
    const bool fresh = !database_.replicas.contains(self.id);
    database_.replicas[self.id] = self;
    for (const auto& node : put) {
      database_.nodes[{self.id, node.name}] = node;
      database_.nodes[{self.id, node.name}].replica = self.id;
    }
    for (const auto& name : gone) database_.nodes.erase({self.id, name});
    return fresh;
  }
  absl::StatusOr<store::OtherReplicas> Others(const std::string& self, Duration) override {
    std::lock_guard lock(database_.mutex);
    if (database_.down) return absl::UnavailableError("down");
    store::OtherReplicas others;
    for (const auto& [id, replica] : database_.replicas) {
      if (id != self) others.replicas.push_back(replica);
    }
    for (const auto& [key, node] : database_.nodes) {
      if (key.first != self) others.nodes.push_back(node);
    }
    return others;
  }
  absl::Status Forget(const std::string& self, Duration age) override {
    std::lock_guard lock(database_.mutex);
    if (age != Duration(0)) return absl::OkStatus();
    database_.replicas.erase(self);
    std::erase_if(database_.nodes, [&](const auto& entry) { return entry.first.first == self; });
    return absl::OkStatus();
  }
  bool Rung() override { return false; }  // heartbeats do
  int descriptor() override { return -1; }

 private:
  FakeDatabase& database_;
};

struct Replica {
  Replica(FakeDatabase& database, const std::string& id)
      : index(store), peers(std::make_unique<FakeReplicas>(database), {id, id + ":7002"}, index, registry) {}
  void Connect(const std::string& name, int64_t applied) {
    NodeStatus node;
    node.name = name;
    node.applied = applied;
    node.rejected["g"] = {"g", 1, "R", "message"};
    registry.Connected(node);
  }
  // The same change at every replica that is told of it: each has a store of its own.
  void Commit() {
    store::Write write;
    write.config.set_id("1");
    write.config.set_name("g1");
    write.config.set_kind(config::v1::SERVERLESS);
    REQUIRE(store.Commit(write).ok());
    REQUIRE(index.Refresh().ok());
  }
  test::FakeStore store;
  index::Index index;
  Registry registry;
  Peers peers;
};

std::string NamesSeenBy(const Replica& replica) {
  std::string names;
  for (const NodeStatus& node : replica.registry.Nodes()) names += node.name + "@" + node.replica + " ";
  return names;
}

TEST_CASE("replicas see each other's nodes come, get further, and go") {
  FakeDatabase database;
  Replica one(database, "one"), two(database, "two");
  one.Connect("a", 3);
  REQUIRE(test::Eventually([&] { return NamesSeenBy(two) == "a@one:7002 "; }));
  CHECK(two.registry.Nodes().at(0).rejected.at("g").message == "message");
  one.registry.Applied("a", 4, {});
  REQUIRE(test::Eventually([&] { return two.registry.Nodes().at(0).applied == 4; }));
  one.registry.Disconnected("a");
  REQUIRE(test::Eventually([&] { return NamesSeenBy(two).empty(); }));
}

TEST_CASE("a replica that stops is gone with its nodes at once") {
  FakeDatabase database;
  Replica one(database, "one");
  {
    Replica two(database, "two");
    two.Connect("b", 3);
    REQUIRE(test::Eventually([&] { return NamesSeenBy(one) == "b@two:7002 "; }));
  }
  CHECK(database.replicas.size() == 1);
  REQUIRE(test::Eventually([&] { return NamesSeenBy(one).empty() && one.registry.other_replicas() == 0; }));
}

TEST_CASE("what the database lost is reported again, and what it missed while it was away is made up for") {
  FakeDatabase database;
  Replica one(database, "one"), two(database, "two");
  one.Connect("a", 3);
  REQUIRE(test::Eventually([&] { return NamesSeenBy(two) == "a@one:7002 "; }));
  {
    std::lock_guard lock(database.mutex);
    database.replicas.clear();
    database.nodes.clear();
    database.down = true;
  }
  one.Connect("b", 3);
  CHECK(NamesSeenBy(two) == "a@one:7002 ");
  {
    std::lock_guard lock(database.mutex);
    database.down = false;
  }
  REQUIRE(test::Eventually([&] { return NamesSeenBy(two) == "a@one:7002 b@one:7002 "; }));
}

TEST_CASE("who waits is answered when the other replica has the change and its nodes have it too") {
  FakeDatabase database;
  Replica one(database, "one"), two(database, "two");
  two.Connect("b", 0);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  std::thread other([&] {
    two.Commit();
    two.registry.Applied("b", 1, {});
  });
  CHECK(one.registry.WaitRollout("1", 1, deadline).applied == std::vector<std::string>{"b"});
  other.join();
}

TEST_CASE("a replica that is alone reports no oftener because its nodes do") {
  FakeDatabase database;
  Replica one(database, "one");
  one.Connect("a", 0);
  for (int64_t revision = 1; revision <= 10'000; ++revision) one.registry.Applied("a", revision, {});
  std::lock_guard lock(database.mutex);
  CHECK(database.reports < 100);
}

}  // namespace
}  // namespace sluice::sync
