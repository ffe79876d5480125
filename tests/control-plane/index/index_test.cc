#include "control-plane/index/index.h"

#include "catch2/catch.hpp"
#include "tests/support/fake_store.h"
#include "tests/support/postgres.h"

namespace sluice::index {
namespace {

using test::FakeStore;

// Commits gateway id "<number>" from that version.
void Commit(store::Store& store, int number, int64_t expected_version = 0,
            config::v1::GatewayKind kind = config::v1::SERVERLESS, const std::string& cell = store::kDefaultCell) {
  store::Write write;
  write.config.set_id(std::to_string(number));
  write.config.set_name("g" + std::to_string(number));
  write.config.set_kind(kind);
  write.config.mutable_plan()->set_name("serverless");
  write.expected_version = expected_version;
  write.cell = cell;
  REQUIRE(store.Commit(write).ok());
}

TEST_CASE("an index of an empty database has nothing after its head") {
  FakeStore store;
  Index index(store);
  REQUIRE(index.Refresh().ok());
  CHECK(index.head() == 0);
  CHECK_FALSE(index.After(0).has_value());
}

TEST_CASE("a cursor meets the gateways in the order of their revisions") {
  FakeStore store;
  for (int number : {1, 2}) Commit(store, number);
  Index index(store);
  REQUIRE(index.Refresh().ok());
  CHECK(index.After(0)->gateway_id == "1");
  CHECK(index.After(1)->gateway_id == "2");
  CHECK_FALSE(index.After(2).has_value());
  CHECK(index.head() == 2);
}

TEST_CASE("a gateway that changed twice is met once, at its latest") {
  FakeStore store;
  Commit(store, 1);
  Index index(store);
  REQUIRE(index.Refresh().ok());
  for (int64_t version : {1, 2}) Commit(store, 1, version);
  REQUIRE(index.Refresh().ok());
  auto entry = index.After(0);
  CHECK(entry->revision == 3);
  CHECK(*entry->config == store.GetVersion("1", 3)->config);
  CHECK_FALSE(index.After(3).has_value());
}

// Imports gateways of these numbers, and has the index told as soon as they are committed.
void Import(FakeStore& store, Index& index, std::initializer_list<int> numbers) {
  std::vector<store::Write> writes;
  for (int number : numbers) {
    writes.emplace_back().config.set_id(std::to_string(number));
    writes.back().config.set_name("g" + std::to_string(number));
  }
  REQUIRE(store.Import(writes, [&index](auto rows) { index.Committed(std::move(rows)); }).ok());
}

TEST_CASE("what was committed here is there without the database being asked") {
  FakeStore store;
  Index index(store);
  int woken = 0;
  index.Watch([&] { ++woken; });
  const int asked = store.reads;
  Import(store, index, {1, 2});
  Import(store, index, {3});
  CHECK(store.reads == asked);
  CHECK(index.head() == 3);
  CHECK(index.After(1)->gateway_id == "2");
  CHECK(*index.Find("3")->config == store.GetVersion("3", 1)->config);
  CHECK(woken == 2);
}

TEST_CASE("what was committed elsewhere before it is read first, and what has been read is not taken twice") {
  FakeStore store;
  Index index(store);
  Commit(store, 1);
  Import(store, index, {2, 3});
  CHECK(index.head() == 3);
  CHECK(index.After(0)->gateway_id == "1");
  const auto rows = *store.ConfigsAfter(1, 10);
  Commit(store, 2, 1);
  REQUIRE(index.Refresh().ok());
  index.Committed(rows);
  CHECK(index.head() == 4);
  CHECK(index.Find("2")->revision == 4);
}

TEST_CASE("a deleted gateway is met as removed, without bytes") {
  FakeStore store;
  Commit(store, 1);
  REQUIRE(store.DeleteGateway({"1", {"ann", "DeleteGateway"}}).ok());
  Index index(store);
  REQUIRE(index.Refresh().ok());
  CHECK(index.After(0)->removed);
  CHECK(index.After(0)->config == nullptr);
}

TEST_CASE("a gateway is met with the scope of the nodes that serve it") {
  FakeStore store;
  Commit(store, 1, 0, config::v1::SELF_MANAGED);
  Commit(store, 2);
  Commit(store, 3, 0, config::v1::SERVERLESS, "west");
  Index index(store);
  REQUIRE(index.Refresh().ok());
  const auto of_owner = store::Scope::OfGateway("1"), here = store::Scope::OfCell("default"),
             west = store::Scope::OfCell("west");
  const auto serving = [&](const std::string& id) {
    std::string scopes;
    for (const store::Scope& scope : {of_owner, here, west}) {
      if (index.Serves(id, scope)) scopes += scope.text() + " ";
    }
    return scopes;
  };
  CHECK(serving("1") == "gateway/1 ");
  CHECK(serving("2") == "cell/default ");
  CHECK(serving("3") == "cell/west ");
  CHECK(serving("unknown") == "cell/default cell/west ");
}

TEST_CASE("streams share one copy of the bytes") {
  FakeStore store;
  Commit(store, 1);
  Index index(store);
  REQUIRE(index.Refresh().ok());
  CHECK(index.After(0)->config.get() == index.After(0)->config.get());
}

TEST_CASE("a watcher is woken when the head moved, not otherwise, and never after it left") {
  FakeStore store;
  Index index(store);
  int woken = 0;
  const int64_t handle = index.Watch([&] { ++woken; });
  Commit(store, 1);
  REQUIRE(index.Refresh().ok());
  REQUIRE(index.Refresh().ok());
  CHECK(woken == 1);
  index.Unwatch(handle);
  Commit(store, 2);
  REQUIRE(index.Refresh().ok());
  CHECK(woken == 1);
}

TEST_CASE("more rows than one read takes are all taken") {
  FakeStore store;
  for (int number = 1; number <= 1001; ++number) Commit(store, number);
  Index index(store);
  REQUIRE(index.Refresh().ok());
  CHECK(index.head() == 1001);
  CHECK(index.After(1000)->gateway_id == "1001");
}

TEST_CASE("an index without a database keeps what it has") {
  FakeStore store;
  Commit(store, 1);
  Index index(store);
  REQUIRE(index.Refresh().ok());
  store.down = true;
  CHECK(absl::IsUnavailable(index.Refresh()));
  CHECK(index.After(0)->gateway_id == "1");
}

TEST_CASE("a database that was restored to the past is an alarm, and nothing is rolled back") {
  const std::string database = test::SharedPostgres().CreateDatabase();
  store::Options options{database};
  options.keys = [](bool) { return store::KeyRing::Parse(store::KeyRing::NewKey()); };
  auto store = store::Store::Open(options, {});
  REQUIRE(store.ok());
  config::v1::Plan plan;
  plan.set_name("serverless");
  REQUIRE((*store)->PutPlan(plan, {}).ok());
  Commit(**store, 1);
  Index index(**store);
  REQUIRE(index.Refresh().ok());
  test::SharedPostgres().Query(database, "delete from gateway_config; update config_clock set revision = 0");
  CHECK(absl::IsDataLoss(index.Refresh()));
  CHECK(index.After(0)->gateway_id == "1");
}

TEST_CASE("removals that the database has purged are gone from the index, and the horizon says up to where") {
  FakeStore store;
  for (int number : {1, 2, 3}) Commit(store, number);
  for (const char* id : {"1", "2"}) REQUIRE(store.DeleteGateway({id, {"ann", "DeleteGateway"}}).ok());
  Index index(store);
  REQUIRE(index.Refresh().ok());
  CHECK(index.horizon() == 0);
  REQUIRE(store.PurgeTombstones({}, 1).ok());
  REQUIRE(index.Refresh().ok());
  CHECK(index.horizon() == 4);
  CHECK(index.After(0)->revision == 3);
  CHECK(index.After(3)->revision == 5);
}

TEST_CASE("an index that was away for longer than removals are kept reads no more") {
  FakeStore store;
  for (int number : {1, 2}) Commit(store, number);
  Index index(store);
  REQUIRE(index.Refresh().ok());
  REQUIRE(store.DeleteGateway({"1", {"ann", "DeleteGateway"}}).ok());
  REQUIRE(store.PurgeTombstones({}, 0).ok());
  Commit(store, 3);
  CHECK(absl::IsDataLoss(index.Refresh()));
  CHECK(index.head() == 2);
  Index fresh(store);
  REQUIRE(fresh.Refresh().ok());
  CHECK(fresh.After(0)->gateway_id == "2");
}

TEST_CASE("a configuration that does not open stops no other, and nodes are sent nothing to serve in its place") {
  FakeStore store;
  for (int number : {1, 2}) Commit(store, number);
  store.unreadable = {"1"};
  Index index(store);
  REQUIRE(index.Refresh().ok());
  CHECK(index.unreadable() == 1);
  CHECK(index.After(0)->config->empty());
  CHECK_FALSE(index.After(0)->removed);
  CHECK_FALSE(index.After(1)->config->empty());
  store.unreadable = {};
  Commit(store, 1, 1);
  REQUIRE(index.Refresh().ok());
  CHECK(index.unreadable() == 0);
}

}  // namespace
}  // namespace sluice::index
