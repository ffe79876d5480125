#include "control-plane/store/placement.h"

#include "catch2/catch.hpp"
#include "control-plane/store/cells.h"
#include "tests/control-plane/store/fixture.h"

namespace sluice::store {
namespace {

const AuditRecord kAudit{"ann", "SetCell", "", "", "", "{}", "OK"};

TEST_CASE("the parts of both cells of a move add up to the limit at every step, and there is always one") {
  for (const uint32_t limit : {0u, 2u, 3u, 100u, 101u}) {
    Placement placement = BeginMove({"a"}, "b");
    for (int step = 0; placement.move != Move::kNone; ++step) {
      REQUIRE(step < 10);
      uint32_t sum = 0;
      int serving = 0;
      for (const char* cell : {"a", "b", "c"}) {
        const auto part = PartOf(placement, cell);
        if (part) sum += LimitOf(*part, limit), ++serving;
      }
      CHECK(serving >= 1);
      CHECK(sum <= limit);
      placement = NextStep(placement, limit);
    }
    CHECK(placement.cell == "b");
  }
}

TEST_CASE("a new database has the cell default, and further ones are made, changed and deleted") {
  Database database;
  Placements& cells = database->placements();
  const std::string before = database.Query("select count(*) from audit where action = 'SetCell'");
  CHECK(before.front() == '0');
  REQUIRE(cells.PutCell({"west", 10, "west.test"}, kAudit).ok());
  REQUIRE(cells.PutCell({"west", 20, "w.test"}, kAudit).ok());
  auto rows = cells.ListCells();
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 2);
  CHECK((*rows)[0].name == "default");
  CHECK((*rows)[1].capacity == 20);
  CHECK((*rows)[1].address == "w.test");
  CHECK_FALSE((*rows)[1].draining);
  REQUIRE(cells.SetDraining("west", true, kAudit).ok());
  CHECK((*cells.ListCells())[1].draining);
  REQUIRE(cells.DeleteCell("west", kAudit).ok());
  CHECK(absl::IsNotFound(cells.DeleteCell("west", kAudit)));
  CHECK(absl::IsNotFound(cells.SetDraining("west", true, kAudit)));
  CHECK(database.Query("select count(*) from audit where action = 'SetCell'").front() == '4');
}

TEST_CASE("there are at most so many cells") {
  Database database;
  for (size_t i = 1; i < kMaxCells; ++i) {
    REQUIRE(database->placements().PutCell({"c" + std::to_string(i)}, kAudit).ok());
  }
  CHECK(absl::IsResourceExhausted(database->placements().PutCell({"one-more"}, kAudit)));
  CHECK(database->placements().PutCell({"c1", 5}, kAudit).ok());
}

TEST_CASE("a cell with gateways, with gateways on their way, or with nodes is not deleted") {
  Database database;
  Placements& cells = database->placements();
  for (const char* name : {"west", "north"}) REQUIRE(cells.PutCell({name}, kAudit).ok());
  Write write = WriteOf(1, 0);
  write.cell = "west";
  REQUIRE(database->Commit(write).ok());
  CHECK(absl::IsFailedPrecondition(cells.DeleteCell("west", kAudit)));
  REQUIRE(*cells.Place({{"1", {"west"}, BeginMove({"west"}, "north")}}) == 1);
  CHECK(absl::IsFailedPrecondition(cells.DeleteCell("north", kAudit)));
  REQUIRE(*cells.Place({{"1", BeginMove({"west"}, "north"), {"north", "west", Move::kNone}}}) == 1);
  const auto owner = Cells::Make(database.options());
  REQUIRE(owner->Enlist("west", "node-1").ok());
  CHECK((*cells.ListCells())[2].nodes == std::vector<std::string>{"node-1"});
  CHECK(absl::IsFailedPrecondition(cells.DeleteCell("west", kAudit)));
  REQUIRE(owner->Delist("west", "node-1").ok());
  CHECK(cells.DeleteCell("west", kAudit).ok());
}

TEST_CASE("a gateway is not made in a cell that is gone") {
  Database database;
  Write write = WriteOf(1, 0);
  write.cell = "gone";
  CHECK(absl::IsFailedPrecondition(database->Commit(write).status()));
  CHECK(absl::IsFailedPrecondition(database->Import({write}).status()));
}

TEST_CASE("gateways are placed by compare and set, each with a revision of its own") {
  Database database;
  Placements& cells = database->placements();
  REQUIRE(cells.PutCell({"west"}, kAudit).ok());
  for (int number : {1, 2, 3}) database.Create(number);
  const Placement narrow = BeginMove({}, "west");
  REQUIRE(*cells.Place({{"2", {}, narrow}}) == 1);
  // The second has moved meanwhile, the fourth is not there.
  const auto placed = cells.Place({{"3", {}, narrow}, {"2", {}, narrow}, {"1", {}, narrow}, {"4", {}, narrow}});
  REQUIRE(placed.ok());
  CHECK(*placed == 2);
  CHECK(*database->HeadRevision() == 6);
  const auto rows = database->ConfigsAfter(3, 10);
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 3);
  for (const ConfigRow& row : *rows) {
    CHECK(row.placement == narrow);
    CHECK_FALSE(row.config.empty());
    CHECK(database->GetGateway(row.gateway_id)->revision == row.revision);
  }
  // A change on the way keeps the place.
  REQUIRE(database->Commit(WriteOf(1, 1)).ok());
  CHECK(database->ConfigsAfter(6, 1)->front().placement == narrow);
  CHECK(database->GetGateway("1")->placement == narrow);
}

TEST_CASE("what is imported is where it was put") {
  Database database;
  REQUIRE(database->placements().PutCell({"west"}, kAudit).ok());
  database.Create(9);  // and with it the plan
  std::vector<Write> writes = {WriteOf(1, 0), WriteOf(2, 0)};
  writes[1].cell = "west";
  REQUIRE(database->Import(writes).ok());
  CHECK(database->GetGateway("1")->placement.cell == "default");
  CHECK(database->GetGateway("2")->placement.cell == "west");
  CHECK(database->ConfigsAfter(0, 10)->back().placement.cell == "west");
}

}  // namespace
}  // namespace sluice::store
