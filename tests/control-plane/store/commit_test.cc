#include <thread>

#include "catch2/catch.hpp"
#include "tests/control-plane/store/fixture.h"

namespace sluice::store {
namespace {

TEST_CASE("the first commit makes version 1 at revision 1") {
  Database database;
  const Committed committed = database.Create();
  CHECK(committed.version == 1);
  CHECK(committed.revision == 1);
}

TEST_CASE("a gateway reads as it was committed") {
  Database database;
  database.Create();
  auto gateway = database->GetGateway("g1");
  REQUIRE(gateway.ok());
  CHECK(gateway->id == "1");
  CHECK(gateway->kind == config::v1::SERVERLESS);
  CHECK(gateway->plan == "serverless");
  CHECK(gateway->hosts == std::vector<std::string>{"1.test"});
  CHECK(gateway->version == 1);
  CHECK(gateway->revision == 1);
  CHECK(gateway->created == gateway->updated);
}

TEST_CASE("the compiled bytes carry the version they became") {
  Database database;
  database.Create();
  REQUIRE(database->Commit(WriteOf(1, 1)).ok());
  auto rows = database->ConfigsAfter(0, 10);
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 1);
  config::v1::GatewayConfig config;
  REQUIRE(config.ParseFromString(rows->front().config));
  CHECK(config.version() == 2);
  CHECK(rows->front().revision == 2);
  CHECK(database->GetVersion("1", 0)->config == rows->front().config);
}

TEST_CASE("a change made from an old version is aborted and changes nothing") {
  Database database;
  database.Create();
  REQUIRE(database->Commit(WriteOf(1, 1)).ok());
  auto stale = database->Commit(WriteOf(1, 1));
  CHECK(stale.status() == absl::AbortedError("gateway g1 is at version 2, not 1 any more"));
  CHECK(*database->HeadRevision() == 2);
}

TEST_CASE("a gateway name is given once") {
  Database database;
  database.Create();
  Write second = WriteOf(2, 0);
  second.config.set_name("g1");
  CHECK(database->Commit(second).status() == absl::AlreadyExistsError("a gateway with this name exists"));
}

TEST_CASE("a host is given once") {
  Database database;
  database.Create();
  Write second = WriteOf(2, 0);
  second.config.set_hosts(0, "1.test");
  CHECK(database->Commit(second).status() == absl::AlreadyExistsError("a host belongs to another gateway"));
  CHECK(absl::IsNotFound(database->GetGateway("g2").status()));
}

TEST_CASE("a host that a gateway gave up may be taken by another") {
  Database database;
  database.Create();
  Write moved = WriteOf(1, 1);
  moved.config.set_hosts(0, "new.test");
  REQUIRE(database->Commit(moved).ok());
  Write second = WriteOf(2, 0);
  second.config.set_hosts(0, "1.test");
  CHECK(database->Commit(second).ok());
}

TEST_CASE("a change of a gateway that was deleted is not found") {
  Database database;
  database.Create();
  REQUIRE(database->DeleteGateway({"1", {"ann", "DeleteGateway"}}).ok());
  CHECK(absl::IsNotFound(database->Commit(WriteOf(1, 1)).status()));
  CHECK(absl::IsNotFound(database->DeleteGateway({"1", {"ann", "DeleteGateway"}}).status()));
}

TEST_CASE("a deleted gateway leaves a tombstone with a revision of its own") {
  Database database;
  database.Create();
  auto deleted = database->DeleteGateway({"1", {"ann", "DeleteGateway"}});
  REQUIRE(deleted.ok());
  CHECK(deleted->revision == 2);
  auto rows = database->ConfigsAfter(0, 10);
  REQUIRE(rows->size() == 1);
  CHECK(rows->front().removed);
  CHECK(rows->front().revision == 2);
  CHECK(rows->front().config.empty());
}

TEST_CASE("a gateway on a plan that does not exist is refused") {
  Database database;
  Write write = WriteOf(1, 0);
  write.config.mutable_plan()->set_name("gold");
  CHECK(database->Commit(write).status() == absl::FailedPreconditionError("there is no such plan"));
}

TEST_CASE("a gateway that others manage is marked so in what nodes are sent") {
  Database database;
  Write write = WriteOf(1, 0);
  write.config.set_kind(config::v1::SELF_MANAGED);
  REQUIRE(database->Commit(write).ok());
  CHECK(database->ConfigsAfter(0, 10)->front().kind == config::v1::SELF_MANAGED);
}

TEST_CASE("the hundred newest versions are kept and the one before them is dropped") {
  Database database;
  database.Create();
  for (int64_t version = 1; version < 101; ++version) REQUIRE(database->Commit(WriteOf(1, version)).ok());
  auto versions = database->ListVersions("1", 0, 1000);
  REQUIRE(versions.ok());
  CHECK(versions->size() == 100);
  CHECK(versions->front().version == 101);
  CHECK(versions->back().version == 2);
  CHECK(absl::IsNotFound(database->GetVersion("1", 1).status()));
}

// Counts 1, 2, 3... from what a poller sees that reads only what is newer than the last it saw.
class Poller {
 public:
  explicit Poller(Store& store) : store_(store), thread_([this] { Run(); }) {}
  std::vector<int64_t> Join(int64_t last) {
    last_ = last;
    thread_.join();
    return seen_;
  }

 private:
  void Run() {
    int64_t cursor = 0;
    while (last_ == 0 || cursor < last_) {
      auto rows = store_.ConfigsAfter(cursor, 1000);
      if (!rows.ok()) return;
      for (const ConfigRow& row : *rows) seen_.push_back(cursor = row.revision);
    }
  }
  Store& store_;
  std::atomic<int64_t> last_{0};
  std::vector<int64_t> seen_;
  std::thread thread_;
};

TEST_CASE("a poller misses nothing of what eight writers commit, and there are no gaps") {
  Database database;
  Poller poller(database.store());
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 8; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 50; ++i) (void)database->Commit(WriteOf(writer * 50 + i, 0));
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::vector<int64_t> seen = poller.Join(400);
  REQUIRE(seen.size() == 400);
  for (int64_t i = 0; i < 400; ++i) CHECK(seen[static_cast<size_t>(i)] == i + 1);
}

TEST_CASE("of eight changes made from the same version one wins and seven are aborted") {
  Database database;
  database.Create();
  std::atomic<int> won{0}, aborted{0};
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 8; ++writer) {
    writers.emplace_back([&] {
      auto committed = database->Commit(WriteOf(1, 1));
      won += committed.ok();
      aborted += absl::IsAborted(committed.status());
    });
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(won == 1);
  CHECK(aborted == 7);
}

TEST_CASE("tombstones are purged when they are old, and the oldest when there are too many") {
  Database database;
  for (int number : {1, 2, 3, 4}) database.Create(number);
  for (const char* id : {"1", "2", "3"}) REQUIRE(database->DeleteGateway({id, {"ann", "DeleteGateway"}}).ok());
  CHECK(*database->PurgeTombstones(std::chrono::hours(1), 3) == 0);
  CHECK(*database->Horizon() == 0);
  CHECK(*database->PurgeTombstones(std::chrono::hours(1), 2) == 1);
  CHECK(*database->Horizon() == 5);
  database.Query("update gateway_config set removed_at = now() - interval '2 hours' where gateway_id = '2'");
  CHECK(*database->PurgeTombstones(std::chrono::hours(1), 3) == 1);
  CHECK(*database->Horizon() == 6);
  const auto rows = *database->ConfigsAfter(0, 10);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].gateway_id == "4");
  CHECK(rows[0].horizon == 6);
  CHECK(rows[1].removed);
  CHECK(*database->HeadRevision() == 7);
}

}  // namespace
}  // namespace sluice::store
