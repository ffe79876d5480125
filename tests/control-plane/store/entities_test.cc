#include "catch2/catch.hpp"
#include "tests/control-plane/store/fixture.h"

namespace sluice::store {
namespace {

TEST_CASE("entities are kept with their names and what they refer to") {
  Database database;
  Write write = WriteOf(1, 0);
  write.entities = {{"service", "s", "it's \"a\"", {}}, Route("r", "s"), Route("t", "s")};
  REQUIRE(database->Commit(write).ok());
  CHECK(database.Query("select ids, kinds, names, referred from gateway_entities") ==
        "{s,r,t}|{service,route,route}|{\"it's \\\"a\\\"\",\"\",\"\"}|{s}\n");
}

TEST_CASE("an entity's id is there once, whatever its kind") {
  Database database;
  Write write = WriteOf(1, 0);
  write.entities = {Service("s", "a"), {"plugin", "s", "", {}}};
  CHECK(database->Commit(write).status() == absl::AlreadyExistsError("an entity with this id exists"));
}

TEST_CASE("a reference to nothing is refused by the database") {
  Database database;
  Write write = WriteOf(1, 0);
  write.entities = {Route("r", "nowhere")};
  CHECK(database->Commit(write).status() ==
        absl::FailedPreconditionError("an entity is referred to that does not exist"));
  CHECK(*database->HeadRevision() == 0);
}

TEST_CASE("a reference to another gateway's entity is refused") {
  Database database;
  Write first = WriteOf(1, 0);
  first.entities = {Service("s", "a")};
  REQUIRE(database->Commit(first).ok());
  Write second = WriteOf(2, 0);
  second.entities = {Route("r", "s")};
  CHECK(absl::IsFailedPrecondition(database->Commit(second).status()));
}

TEST_CASE("an entity that is referred to cannot be deleted alone") {
  Database database;
  Write first = WriteOf(1, 0);
  first.entities = {Service("s", "a"), Route("r", "s")};
  REQUIRE(database->Commit(first).ok());
  Write second = WriteOf(1, 1);
  second.entities = {Route("r", "s")};
  CHECK(absl::IsFailedPrecondition(database->Commit(second).status()));
  second.entities = {};
  CHECK(database->Commit(second).ok());
}

TEST_CASE("a change that drops a reference frees what was referred to") {
  Database database;
  Write first = WriteOf(1, 0);
  first.entities = {Service("s", "a"), Service("t", "b"), Route("r", "s")};
  REQUIRE(database->Commit(first).ok());
  Write second = WriteOf(1, 1);
  second.entities = {Service("t", "b"), Route("r", "t")};
  CHECK(database->Commit(second).ok());
}

TEST_CASE("two services of one gateway cannot share a name, two plugins can") {
  Database database;
  Write write = WriteOf(1, 0);
  write.entities = {{"plugin", "p", "cors", {}}, {"plugin", "q", "cors", {}}};
  REQUIRE(database->Commit(write).ok());
  Write second = WriteOf(1, 1);
  second.entities = {Service("s", "a"), Service("t", "a")};
  CHECK(database->Commit(second).status() ==
        absl::AlreadyExistsError("two entities of one kind have the same name"));
}

TEST_CASE("two services may swap their names in one change") {
  Database database;
  Write first = WriteOf(1, 0);
  first.entities = {Service("s", "a"), Service("t", "b")};
  REQUIRE(database->Commit(first).ok());
  Write second = WriteOf(1, 1);
  second.entities = {Service("s", "b"), Service("t", "a")};
  CHECK(database->Commit(second).ok());
}

TEST_CASE("the same entity ids may be used by two gateways") {
  Database database;
  Write first = WriteOf(1, 0), second = WriteOf(2, 0);
  first.entities = second.entities = {Service("s", "a")};
  REQUIRE(database->Commit(first).ok());
  CHECK(database->Commit(second).ok());
}

TEST_CASE("everything of a deleted gateway goes with it") {
  Database database;
  Write write = WriteOf(1, 0);
  write.entities = {Service("s", "a"), Route("r", "s")};
  REQUIRE(database->Commit(write).ok());
  REQUIRE(database->DeleteGateway({"1", {"ann", "DeleteGateway"}}).ok());
  CHECK(database.Query("select (select count(*) from gateway_entities),"
                       " (select count(*) from versions), (select count(*) from gateway_hosts)") == "0|0|0\n");
}

TEST_CASE("a NUL character is refused, not cut off") {
  Database database;
  Write write = WriteOf(1, 0);
  write.message = std::string("a\0b", 3);
  CHECK(absl::IsInvalidArgument(database->Commit(write).status()));
  write = WriteOf(1, 0);
  write.entities = {Service("s", std::string("a\0b", 3))};
  CHECK(absl::IsInvalidArgument(database->Commit(write).status()));
}

}  // namespace
}  // namespace sluice::store
