// Who found good what is kept.

#include "catch2/catch.hpp"
#include "tests/control-plane/store/fixture.h"

namespace sluice::store {
namespace {

// Of each gateway in the order of their revisions, as a replica with these rules reads it: "1 good, 2".
std::string Read(const Database& database, const std::string& rules) {
  Options options = database.options();
  options.rules = rules;
  const auto store = Store::Open(options, std::chrono::seconds(10));
  REQUIRE(store.ok());
  const auto rows = (*store)->ConfigsAfter(0, 10);
  REQUIRE(rows.ok());
  std::string text;
  for (const ConfigRow& row : *rows) text += (text.empty() ? "" : ", ") + row.gateway_id + (row.good ? " good" : "");
  return text;
}

TEST_CASE("what is committed or imported is good for who has the rules that it was found good by") {
  Database database;
  database.Create(1);
  REQUIRE(database->Import({WriteOf(2, 0), WriteOf(3, 0)}).ok());
  CHECK(Read(database, "r") == "1 good, 2 good, 3 good");
  CHECK(Read(database, "s") == "1, 2, 3");
  REQUIRE(database->Commit(WriteOf(2, 1)).ok());
  CHECK(Read(database, "r") == "1 good, 3 good, 2 good");
}

TEST_CASE("nothing is said of what a release wrote that knows nothing of it, nor of rows from before") {
  Database database;
  for (int number : {1, 2}) database.Create(number);
  database.Query("update gateway_config set revision = 3, config = config where gateway_id = '1'");
  CHECK(Read(database, "r") == "2 good, 1");
  database.Query("update gateway_config set good_by = null, good_at = null");
  CHECK(Read(database, "r") == "2, 1");
}

TEST_CASE("a gateway that moves stays as good as it was") {
  Database database;
  REQUIRE(database->placements().PutCell({"west"}, {"a", "PutCell"}).ok());
  for (int number : {1, 2}) database.Create(number);
  database.Query("update gateway_config set good_by = null, good_at = null where gateway_id = '2'");
  const Placement to = BeginMove({}, "west");
  REQUIRE(*database->placements().Place({{"1", {}, to}, {"2", {}, to}}) == 2);
  CHECK(Read(database, "r") == "1 good, 2");
}

}  // namespace
}  // namespace sluice::store
