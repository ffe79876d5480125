#include "control-plane/store/migrations.h"

#include <thread>

#include "catch2/catch.hpp"
#include "tests/control-plane/store/fixture.h"

namespace sluice::store {
namespace {

TEST_CASE("opening a second time changes nothing and keeps the epoch") {
  Database database;
  const std::string epoch = *database->Epoch();
  auto again = Store::Open(database.options(), {});
  REQUIRE(again.ok());
  CHECK(*(*again)->Epoch() == epoch);
  CHECK(database.Query("select count(*) from schema_migrations") ==
        std::to_string(EmbeddedMigrations().size()) + "\n");
}

TEST_CASE("two databases have different epochs") {
  Database first, second;
  CHECK(*first->Epoch() != *second->Epoch());
}

TEST_CASE("eight replicas that start at once migrate once") {
  Options options{test::SharedPostgres().CreateDatabase()};
  options.keys = [text = KeyRing::NewKey()](bool) { return KeyRing::Parse(text); };
  std::atomic<int> opened{0};
  std::vector<std::thread> replicas;
  for (int i = 0; i < 8; ++i) replicas.emplace_back([&] { opened += Store::Open(options, {}).ok(); });
  for (std::thread& replica : replicas) replica.join();
  CHECK(opened == 8);
}

TEST_CASE("a step that was applied in another form is refused by name") {
  Connection connection({test::SharedPostgres().CreateDatabase()});
  REQUIRE(connection.Reconnect().ok());
  REQUIRE(Migrate(connection, {{1, "0001_a", "create table a ()"}}).ok());
  CHECK(Migrate(connection, {{1, "0001_a", "create table b ()"}}) ==
        absl::FailedPreconditionError("migration 0001_a was applied to this database in another form"));
}

TEST_CASE("a step that fails leaves nothing behind and may be tried again") {
  Connection connection({test::SharedPostgres().CreateDatabase()});
  REQUIRE(connection.Reconnect().ok());
  CHECK_FALSE(Migrate(connection, {{1, "0001_a", "create table a (); select 1 / 0"}}).ok());
  CHECK(Migrate(connection, {{1, "0001_a", "create table a ()"}}).ok());
}

TEST_CASE("steps of a newer release do not stop an older one") {
  Connection connection({test::SharedPostgres().CreateDatabase()});
  REQUIRE(connection.Reconnect().ok());
  REQUIRE(Migrate(connection, {{1, "0001_a", "create table a ()"}, {2, "0002_b", "create table b ()"}}).ok());
  CHECK(Migrate(connection, {{1, "0001_a", "create table a ()"}}).ok());
}

}  // namespace
}  // namespace sluice::store
