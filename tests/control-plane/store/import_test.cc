#include "catch2/catch.hpp"
#include "tests/control-plane/store/fixture.h"

namespace sluice::store {
namespace {

std::vector<Write> Three() {
  std::vector<Write> writes = {WriteOf(1, 0), WriteOf(2, 0), WriteOf(3, 0)};
  for (Write& write : writes) {
    write.entities = {Service("s", "a"), Route("r", "s")};
    write.changes.created = 2;
  }
  return writes;
}

TEST_CASE("imported gateways are there as if each had been committed, with revisions in a row") {
  Database database;
  database.Create(9);
  const auto committed = database->Import(Three());
  REQUIRE(committed.ok());
  REQUIRE(committed->size() == 3);
  for (int i = 0; i < 3; ++i) {
    CHECK((*committed)[i].version == 1);
    CHECK((*committed)[i].revision == 2 + i);
    const auto record = database->GetGateway(std::to_string(i + 1));
    REQUIRE(record.ok());
    CHECK(record->revision == 2 + i);
    CHECK(record->hosts == std::vector<std::string>{std::to_string(i + 1) + ".test"});
  }
  CHECK(*database->HeadRevision() == 4);
  const auto rows = database->ConfigsAfter(1, 10);
  REQUIRE(rows->size() == 3);
  CHECK((*rows)[2].gateway_id == "3");
  CHECK((*rows)[2].config == database->GetVersion("3", 0)->config);
  CHECK((*database->ListVersions("3", 0, 10))[0].changes->created == 2);
  CHECK(database.Query("select distinct ids, kinds, names, referred from gateway_entities where gateway_id <> '9'") ==
        "{s,r}|{service,route}|{a,\"\"}|{s}\n");
}

TEST_CASE("who imports is told what a reader of the revision line would find, once it is there") {
  Database database;
  REQUIRE(database->placements().PutCell({"west"}, {"a", "PutCell"}).ok());
  database.Create(9);
  std::vector<Write> writes = Three();
  writes[1].cell = "west";
  writes[2].config.set_kind(config::v1::SELF_MANAGED);
  Store::Rows told;
  std::vector<ConfigRow> found;
  const auto committed = database->Import(writes, [&](Store::Rows rows) {
    told = std::move(rows);
    found = *database->ConfigsAfter(1, 10);
  });
  REQUIRE(committed.ok());
  REQUIRE(told.size() == 3);
  REQUIRE(found.size() == 3);
  for (size_t i = 0; i < told.size(); ++i) {
    CHECK(told[i].revision == found[i].revision);
    CHECK(told[i].gateway_id == found[i].gateway_id);
    CHECK(told[i].removed == found[i].removed);
    CHECK(told[i].kind == found[i].kind);
    CHECK(told[i].config == found[i].config);
    CHECK(told[i].unreadable == found[i].unreadable);
    CHECK(told[i].placement == found[i].placement);
    CHECK(told[i].good == found[i].good);
  }
}

TEST_CASE("who imports is told nothing where nothing was imported") {
  Database database;
  database.Create(2);
  bool told = false;
  CHECK_FALSE(database->Import(Three(), [&](const Store::Rows&) { told = true; }).ok());
  CHECK_FALSE(told);
}

TEST_CASE("an imported gateway is changed like any other") {
  Database database;
  REQUIRE(database->Import(Three()).ok());
  const auto committed = database->Commit(WriteOf(2, 1));
  REQUIRE(committed.ok());
  CHECK(committed->version == 2);
}

TEST_CASE("where one gateway's name or host is taken, none is imported and the clock stands still") {
  Database database;
  database.Create(2);
  CHECK(absl::IsAlreadyExists(database->Import(Three()).status()));
  CHECK(database.Query("select count(*) from gateways") == "1\n");
  CHECK(*database->HeadRevision() == 1);
}

TEST_CASE("two of one import with the same name or host are refused, and a plan or cell that is not there") {
  Database database;
  const auto refused = [&](const std::function<void(std::vector<Write>&)>& edit) {
    std::vector<Write> writes = Three();
    edit(writes);
    return database->Import(writes).status();
  };
  CHECK(absl::IsAlreadyExists(refused([](auto& writes) { writes[2].config.set_name("g1"); })));
  CHECK(absl::IsAlreadyExists(refused([](auto& writes) { writes[2].config.set_hosts(0, "1.test"); })));
  CHECK(absl::IsFailedPrecondition(refused([](auto& writes) { writes[1].config.mutable_plan()->set_name("none"); })));
  CHECK(absl::IsFailedPrecondition(refused([](auto& writes) { writes[1].cell = "nowhere"; })));
  CHECK(database.Query("select count(*) from gateways") == "0\n");
}

TEST_CASE("what is too much to be sent at once is sent in parts, and a refusal amid it leaves the connection usable") {
  Database fixture;
  Options options = fixture.options();
  options.connections = 1;
  const auto store = *Store::Open(options, std::chrono::seconds(10));
  std::vector<Write> writes;
  for (int number = 1; number <= kMaxImport; ++number) {
    writes.push_back(WriteOf(number, 0));
    for (int i = 0; i < 10; ++i) {
      writes.back().config.add_services()->set_name(std::string(3000, 'a' + static_cast<char>(i)));
      writes.back().config.add_hosts("h" + std::to_string(i) + "-" + std::to_string(number) + ".test");
    }
  }
  std::vector<Write> twice = writes;
  twice.back().config.set_hosts(3, twice.front().config.hosts(3));
  CHECK(absl::IsAlreadyExists(store->Import(twice).status()));
  const auto committed = store->Import(writes);
  REQUIRE(committed.ok());
  CHECK(committed->back().revision == kMaxImport);
  CHECK(store->GetVersion("256", 1)->config.size() > 30'000);
  CHECK(fixture.Query("select count(*), max(position) from gateway_hosts") == "2816|11\n");
}

TEST_CASE("a reference to nothing in one of them refuses all") {
  Database database;
  std::vector<Write> writes = Three();
  writes[1].entities.push_back(Route("lost", "nowhere"));
  CHECK_FALSE(database->Import(writes).ok());
  CHECK(database.Query("select count(*) from gateways") == "0\n");
}

}  // namespace
}  // namespace sluice::store
