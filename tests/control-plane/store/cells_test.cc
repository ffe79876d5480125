#include "control-plane/store/cells.h"

#include "catch2/catch.hpp"
#include "tests/control-plane/store/fixture.h"

namespace sluice::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kCell[] = "default";

TEST_CASE("a cell has one owner at a time, and each time a later term") {
  Database database;
  const auto cells = Cells::Make(database.options());
  const auto first = cells->Take(kCell, {"replica-1", "replica-1:7002"}, seconds(60));
  REQUIRE(first.ok());
  REQUIRE(first->has_value());
  CHECK((*first)->members.empty());
  CHECK_FALSE((*cells->Take(kCell, {"replica-2", "replica-2:7002"}, seconds(60))).has_value());
  CHECK(*cells->OwnerAddress(kCell) == "replica-1:7002");
  REQUIRE(cells->Release(kCell, (*first)->term).ok());
  CHECK(*cells->OwnerAddress(kCell) == "");
  const auto second = cells->Take(kCell, {"replica-2", "replica-2:7002"}, seconds(60));
  REQUIRE(second.ok());
  REQUIRE(second->has_value());
  CHECK((*second)->term > (*first)->term);
}

TEST_CASE("an ownership that is not renewed in its time is another's, and the old term writes no more") {
  Database database;
  const auto cells = Cells::Make(database.options());
  auto first = cells->Take(kCell, {"replica-1", "replica-1:7002"}, milliseconds(-1));
  REQUIRE(first.ok());
  const auto second = cells->Take(kCell, {"replica-2", "replica-2:7002"}, seconds(60));
  REQUIRE(second.ok());
  REQUIRE(second->has_value());
  CHECK_FALSE((*cells->Renew(kCell, (*first)->term, seconds(60))).has_value());
  (*first)->members = {"intruder"};
  CHECK_FALSE(*cells->Commit(kCell, **first));
  CHECK((*cells->Renew(kCell, (*second)->term, seconds(60)))->members.empty());
}

TEST_CASE("a membership is kept with its epoch, and who is enlisted is kept once") {
  Database database;
  const auto cells = Cells::Make(database.options());
  auto record = **cells->Take(kCell, {"replica-1", "replica-1:7002"}, seconds(60));
  record.epoch = 7;
  record.members = {"node-1", "node-2"};
  record.guests = true;
  REQUIRE(*cells->Commit(kCell, record));
  for (const char* node : {"node-2", "node-3", "node-2"}) REQUIRE(cells->Enlist(kCell, node).ok());
  REQUIRE(cells->Delist(kCell, "node-3").ok());
  const auto read = **cells->Renew(kCell, record.term, seconds(60));
  CHECK(read.epoch == 7);
  CHECK(read.members == std::vector<std::string>{"node-1", "node-2"});
  CHECK(read.guests);
  CHECK(read.enlisted == std::vector<std::string>{"node-2"});
}

TEST_CASE("a node that is removed is neither listed nor enlisted") {
  Database database;
  const auto cells = Cells::Make(database.options());
  const auto record = **cells->Take(kCell, {"replica-1", "replica-1:7002"}, seconds(60));
  REQUIRE(cells->Enlist(kCell, "node-1").ok());
  REQUIRE(database->PutNode({"node-1", "0.1.0", "127.0.0.1:1", WallTime()}).ok());
  REQUIRE(database->RemoveNode("node-1", {"admin", "RemoveNode", "", "", "", "{}", "OK"}).ok());
  CHECK(database->ListNodes()->empty());
  CHECK((*cells->Renew(kCell, record.term, seconds(60)))->enlisted.empty());
  CHECK(absl::IsNotFound(database->RemoveNode("node-1", {"admin", "RemoveNode", "", "", "", "{}", "OK"})));
}

}  // namespace
}  // namespace sluice::store
