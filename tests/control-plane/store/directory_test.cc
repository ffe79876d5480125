#include "catch2/catch.hpp"
#include "tests/control-plane/store/fixture.h"

namespace sluice::store {
namespace {

TEST_CASE("gateways are listed by name after a name") {
  Database database;
  for (int number : {3, 1, 2}) database.Create(number);
  auto page = database->ListGateways("g1", 1);
  REQUIRE(page->size() == 1);
  CHECK(page->front().name == "g2");
  CHECK(database->ListGateways("", 10)->size() == 3);
}

TEST_CASE("an id goes before a name") {
  Database database;
  database.Create(1);
  Write second = WriteOf(2, 0);
  second.config.set_name("1");
  REQUIRE(database->Commit(second).ok());
  CHECK(database->GetGateway("1")->name == "g1");
}

TEST_CASE("gateways are found by their plan") {
  Database database;
  database.Create(1);
  database.Create(2);
  CHECK(*database->GatewaysOnPlan("serverless") == std::vector<std::string>{"1", "2"});
  CHECK(database->GatewaysOnPlan("gold")->empty());
}

TEST_CASE("versions are listed newest first, before a version, without their bytes") {
  Database database;
  database.Create();
  for (int64_t version : {1, 2}) REQUIRE(database->Commit(WriteOf(1, version)).ok());
  auto page = database->ListVersions("1", 3, 1);
  REQUIRE(page->size() == 1);
  CHECK(page->front().version == 2);
  CHECK(page->front().revision == 2);
  CHECK(page->front().author == "ann");
  CHECK(page->front().message == "because");
  CHECK(page->front().config.empty());
  CHECK(page->front().config_bytes == database->GetVersion("1", 2)->config.size() + KeyRing::kOverhead);
}

TEST_CASE("a plan is read as it was last put") {
  Database database;
  config::v1::Plan plan;
  plan.set_name("gold");
  plan.set_requests_per_second(7);
  REQUIRE(database->PutPlan(plan, {"ann", "SetPlan"}).ok());
  plan.set_requests_per_second(8);
  REQUIRE(database->PutPlan(plan, {"ann", "SetPlan"}).ok());
  CHECK(database->GetPlan("gold")->requests_per_second() == 8);
  CHECK(database->ListPlans()->size() == 2);
  CHECK(absl::IsNotFound(database->GetPlan("silver").status()));
}

TEST_CASE("a token is found by its hash alone") {
  Database database;
  const std::string hash(32, '\0');
  REQUIRE(database->PutToken({"t1", "first", "admin"}, hash).ok());
  CHECK(database->FindToken(hash)->value().name == "first");
  CHECK_FALSE(database->FindToken(std::string(32, 'x'))->has_value());
  CHECK(*database->CountTokens() == 1);
}

TEST_CASE("a token with a role that does not exist, or a hash of another length, is refused") {
  Database database;
  CHECK(absl::IsInvalidArgument(database->PutToken({"t1", "first", "root"}, std::string(32, 'x'))));
  CHECK(absl::IsInvalidArgument(database->PutToken({"t1", "first", "admin"}, std::string(31, 'x'))));
}

TEST_CASE("a node is read as it was last seen") {
  Database database;
  const WallTime seen = std::chrono::sys_days(std::chrono::year(2031) / 2 / 3);
  REQUIRE(database->PutNode({"n1", "0.1.0", "10.0.0.1:8100", seen - std::chrono::hours(1)}).ok());
  REQUIRE(database->PutNode({"n1", "0.1.1", "10.0.0.1:8100", seen}).ok());
  auto nodes = database->ListNodes();
  REQUIRE(nodes->size() == 1);
  CHECK(nodes->front().build == "0.1.1");
  CHECK(nodes->front().last_seen == seen);
}

TEST_CASE("a node that was there already and is not in the list has been removed, and stays so") {
  Database database;
  REQUIRE(database->PutNode({"n1", "0.1.0", "10.0.0.1:8100", WallTime()}).ok());
  REQUIRE(database->RemoveNode("n1", {}).ok());
  REQUIRE(database->PutNode({"n1", "0.1.0", "10.0.0.1:8100", WallTime(), false}).ok());
  CHECK(database->ListNodes()->empty());
  REQUIRE(database->PutNode({"n1", "0.1.0", "10.0.0.1:8100", WallTime()}).ok());
  CHECK(database->ListNodes()->size() == 1);
}

TEST_CASE("an audit record is written once and cannot be changed, deleted or truncated") {
  Database database;
  REQUIRE(database->Audit({"bob", "CreateGateway", "g", "r", "p", "{}", "PERMISSION_DENIED"}).ok());
  CHECK(database.Query("select action, outcome from audit where actor = 'bob'") == "CreateGateway|PERMISSION_DENIED\n");
  for (const std::string sql : {"update audit set actor = 'eve'", "delete from audit", "truncate audit"}) {
    const auto refused = test::Run({"psql", "-X", "-d", database.options().database, "-c", sql});
    CHECK(refused.err ==
          "ERROR:  audit records are never changed\n"
          "CONTEXT:  PL/pgSQL function refuse_audit_change() line 3 at RAISE\n");
  }
}

TEST_CASE("a committed change and its audit record come together") {
  Database database;
  database.Create();
  (void)database->Commit(WriteOf(1, 7));
  CHECK(database.Query("select actor, action, gateway, request_id, peer from audit where actor = 'ann'") ==
        "ann|PutEntity|1|r1|127.0.0.1\n");
}

}  // namespace
}  // namespace sluice::store
