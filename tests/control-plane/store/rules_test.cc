// What the database refuses by itself, whoever writes.

#include <future>

#include "absl/strings/str_cat.h"
#include "catch2/catch.hpp"
#include "control-plane/store/connection.h"
#include "tests/control-plane/store/fixture.h"

namespace sluice::store {
namespace {

constexpr int kMany = 200;  // more than are looked at without a query

std::vector<EntityRow> Services(int count) {
  std::vector<EntityRow> rows;
  for (int i = 0; i < count; ++i) rows.push_back(Service(absl::StrCat("service-", i), absl::StrCat("name-of-", i)));
  return rows;
}

absl::Status Put(std::vector<EntityRow> entities) {
  Database database;
  Write write = WriteOf(1, 0);
  write.entities = std::move(entities);
  return database->Commit(write).status();
}

// With a service more that is written as this.
absl::Status PutMany(const EntityRow& one_more) {
  std::vector<EntityRow> rows = Services(kMany);
  rows.push_back(one_more);
  return Put(std::move(rows));
}

TEST_CASE("many entities are kept, and refer to one another") {
  CHECK(PutMany(Route("r", "service-199")).ok());
}

TEST_CASE("an id, a name and a reference are held to the rules among many entities too") {
  CHECK(PutMany(Service("service-7", "other")) == absl::AlreadyExistsError("an entity with this id exists"));
  CHECK(PutMany(Service("other", "name-of-7")) ==
        absl::AlreadyExistsError("two entities of one kind have the same name"));
  CHECK(PutMany(Route("r", "service-200")) ==
        absl::FailedPreconditionError("an entity is referred to that does not exist"));
}

TEST_CASE("a service and a route may share a name, among few and among many") {
  EntityRow route{"route", "r", "name-of-0", {}};
  CHECK(Put({Service("s", "name-of-0"), route}).ok());
  CHECK(PutMany(route).ok());
}

TEST_CASE("a gateway is refused that is on no plan, or in no cell") {
  Database database;
  Write write = WriteOf(1, 0);
  write.cell = "nowhere";
  CHECK(database->Commit(write).status() == absl::FailedPreconditionError("there is no such cell any more"));
  CHECK(database->Import({WriteOf(2, 0), write}).status() ==
        absl::FailedPreconditionError("there is no such cell any more"));
  write = WriteOf(1, 0);
  write.config.mutable_plan()->set_name("none");
  CHECK(database->Commit(write).status() == absl::FailedPreconditionError("there is no such plan"));
  database.Create(1);
  write.expected_version = 1;
  CHECK(database->Commit(write).status() == absl::FailedPreconditionError("there is no such plan"));
}

TEST_CASE("neither a plan nor a cell goes, or is renamed, that a gateway is on or in") {
  Database database;
  database.Create();
  Connection connection(database.options());
  REQUIRE(connection.Reconnect().ok());
  const auto plan = absl::FailedPreconditionError("there is no such plan");
  const auto cell = absl::FailedPreconditionError("there is no such cell any more");
  CHECK(connection.Execute("delete from plans where name = 'serverless'") == plan);
  CHECK(connection.Execute("update plans set name = 'other' where name = 'serverless'") == plan);
  CHECK(connection.Execute("delete from cells where name = 'default'") == cell);
  CHECK(connection.Execute("update cells set name = 'other' where name = 'default'") == cell);
}

TEST_CASE("a cell does not go while a gateway comes to it, and none comes to one that goes") {
  Database database;
  Connection one(database.options()), other(database.options());
  REQUIRE((one.Reconnect().ok() && other.Reconnect().ok()));
  static constexpr char kInsert[] =
      "insert into gateways (id, name, kind, plan, cell, version) values ('1', 'g', 1, 'serverless', 'east', 1)";
  static constexpr char kDelete[] = "delete from cells where name = 'east'";
  const auto [first, second] = GENERATE_REF(std::pair(kInsert, kDelete), std::pair(kDelete, kInsert));
  REQUIRE(one.Execute("insert into cells (name) values ('east')").ok());
  REQUIRE((one.Execute("begin").ok() && one.Execute(first).ok()));
  auto waits = std::async(std::launch::async, [&, sql = second] { return other.Execute(sql); });
  // Until it waits for the first, which it must not overtake.
  while (database.Query("select count(*) from pg_locks where not granted") == "0\n") std::this_thread::yield();
  REQUIRE(one.Execute("commit").ok());
  CHECK(waits.get() == absl::FailedPreconditionError("there is no such cell any more"));
}

}  // namespace
}  // namespace sluice::store
