#include <condition_variable>
#include <mutex>

#include "catch2/catch.hpp"
#include "control-plane/store/errors.h"
#include "control-plane/store/pool.h"
#include "tests/control-plane/store/fixture.h"

namespace sluice::store {
namespace {

TEST_CASE("a store goes on after the server restarted, without an error in between") {
  test::Postgres cluster;
  Database database(cluster);
  database.Create(1);
  cluster.Restart();
  CHECK(database->Commit(WriteOf(2, 0)).ok());
  CHECK(*database->HeadRevision() == 2);
}

TEST_CASE("a store without a server answers unavailable, and answers again afterwards") {
  test::Postgres cluster;
  Database database(cluster);
  cluster.Stop();
  CHECK(absl::IsUnavailable(database->Commit(WriteOf(1, 0)).status()));
  CHECK(absl::IsUnavailable(database->HeadRevision().status()));
  cluster.Start();
  CHECK(database->Commit(WriteOf(1, 0)).ok());
}

TEST_CASE("a database that cannot be reached is unavailable when patience ends") {
  CHECK(absl::IsUnavailable(Store::Open({"host=/nonexistent dbname=a"}, {}).status()));
}

TEST_CASE("a pool lends eight connections and lends again what came back") {
  Pool pool({test::SharedPostgres().CreateDatabase()});
  std::vector<Pool::Lease> leases;
  for (int i = 0; i < 8; ++i) {
    auto lease = pool.Borrow();
    REQUIRE(lease.ok());
    leases.push_back(*std::move(lease));
  }
  CHECK(pool.Borrow().status() == absl::UnavailableError("every database connection is busy"));
  leases.pop_back();
  CHECK(pool.Borrow().ok());
}

TEST_CASE("a statement that takes too long ends with a deadline") {
  Connection connection({test::SharedPostgres().CreateDatabase(), 1, std::chrono::milliseconds(20)});
  REQUIRE(connection.Reconnect().ok());
  CHECK(absl::IsDeadlineExceeded(connection.Execute("select pg_sleep(60)")));
}

TEST_CASE("what the database says becomes a canonical code") {
  const auto code = [](const char* state) { return StatusFromSqlState(state, "", "m").code(); };
  CHECK(code("") == absl::StatusCode::kUnavailable);
  CHECK(code("08006") == absl::StatusCode::kUnavailable);
  CHECK(code("57P01") == absl::StatusCode::kUnavailable);
  CHECK(code("25006") == absl::StatusCode::kUnavailable);
  CHECK(code("40001") == absl::StatusCode::kAborted);
  CHECK(code("40P01") == absl::StatusCode::kAborted);
  CHECK(code("42P01") == absl::StatusCode::kInternal);
}

TEST_CASE("a message that may quote a value is not passed on") {
  CHECK(StatusFromSqlState("22P02", "", "invalid input: \"secret\"").message() ==
        "the database cannot store a value (22P02)");
}

// Counts rings and lets a test wait for one more.
class Rings {
 public:
  void Ring() {
    std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  int count() const {
    std::lock_guard lock(mutex_);
    return count_;
  }
  bool WaitForMoreThan(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return count_ > count; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

TEST_CASE("the doorbell rings at the start, before anything is committed") {
  Database database;
  Rings rings;
  auto doorbell = Doorbell::Start(database.options(), [&] { rings.Ring(); });
  CHECK(rings.WaitForMoreThan(0));
}

TEST_CASE("every revision is seen by whoever reads when the doorbell rings") {
  Database database;
  Rings rings;
  std::atomic<int64_t> seen{0};
  auto doorbell = Doorbell::Start(database.options(), [&] {
    seen = database->HeadRevision().value_or(seen);
    rings.Ring();
  });
  for (int number = 1; number <= 20; ++number) {
    database.Create(number);
    while (seen < number) REQUIRE(rings.WaitForMoreThan(rings.count()));
  }
  CHECK(seen == 20);
}

TEST_CASE("the doorbell rings on while the server is away and after it came back") {
  test::Postgres cluster;
  Database database(cluster);
  Rings rings;
  auto doorbell = Doorbell::Start(database.options(), [&] { rings.Ring(); });
  cluster.Stop();
  CHECK(rings.WaitForMoreThan(rings.count()));
  cluster.Start();
  CHECK(rings.WaitForMoreThan(rings.count()));
}

}  // namespace
}  // namespace sluice::store
