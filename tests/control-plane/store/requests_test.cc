// Writes that are made once.

#include <thread>

#include "catch2/catch.hpp"
#include "tests/control-plane/store/fixture.h"

namespace sluice::store {
namespace {

Write WithRequest(Write write, const std::string& id) {
  write.request = {.caller = "ann", .request_id = id, .fingerprint = "what was asked", .entity_id = "e"};
  return write;
}

KeptRequest Nothing(const std::string& id) {
  return {.caller = "ann", .request_id = id, .fingerprint = "f", .gateway_id = "1", .version = 1};
}

TEST_CASE("a request is kept along with what it did") {
  Database database;
  REQUIRE(database->Commit(WithRequest(WriteOf(1, 0), "r1")).ok());
  auto kept = database->FindRequest("ann", "r1");
  REQUIRE(kept.ok());
  REQUIRE(kept->has_value());
  CHECK((*kept)->fingerprint == "what was asked");
  CHECK((*kept)->gateway_id == "1");
  CHECK((*kept)->entity_id == "e");
  CHECK((*kept)->version == 1);
  CHECK((*kept)->revision == 1);
}

TEST_CASE("a request that is kept is not made again") {
  Database database;
  database.Create();
  REQUIRE(database->Commit(WithRequest(WriteOf(1, 1), "r1")).ok());
  auto again = database->Commit(WithRequest(WriteOf(1, 2), "r1"));
  REQUIRE(again.ok());
  CHECK(again->repeated);
  CHECK(database->GetGateway("1")->version == 2);
  CHECK(*database->HeadRevision() == 2);
  CHECK(database.Query("select count(*) from audit where action = 'PutEntity'") == "2\n");
}

TEST_CASE("a request that failed is not kept") {
  Database database;
  database.Create();
  CHECK(absl::IsAborted(database->Commit(WithRequest(WriteOf(1, 7), "r1")).status()));
  CHECK_FALSE(database->FindRequest("ann", "r1")->has_value());
}

TEST_CASE("of eight equal requests at once one is made, and the others hear so") {
  Database database;
  database.Create();
  std::atomic<int> made{0}, repeated{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      auto committed = database->Commit(WithRequest(WriteOf(1, 1), "r1"));
      made += committed.ok() && !committed->repeated;
      repeated += committed.ok() && committed->repeated;
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(made == 1);
  CHECK(repeated == 7);
}

TEST_CASE("the request that deleted a gateway outlives it") {
  Database database;
  database.Create();
  const KeptRequest request{.caller = "ann", .request_id = "r1", .fingerprint = "f"};
  REQUIRE(database->DeleteGateway({"1", {"ann", "DeleteGateway"}, 0, request}).ok());
  CHECK(database->DeleteGateway({"1", {"ann", "DeleteGateway"}, 0, request})->repeated);
  CHECK((*database->FindRequest("ann", "r1"))->revision == 2);
}

TEST_CASE("a gateway that is at another version than expected is not deleted") {
  Database database;
  database.Create();
  CHECK(absl::IsAborted(database->DeleteGateway({"1", {"ann", "DeleteGateway"}, 2}).status()));
  CHECK(database->DeleteGateway({"1", {"ann", "DeleteGateway"}, 1}).ok());
}

TEST_CASE("a request that found nothing to change is kept once") {
  Database database;
  CHECK(*database->KeepRequest(Nothing("r1")));
  CHECK_FALSE(*database->KeepRequest(Nothing("r1")));
  CHECK((*database->FindRequest("ann", "r1"))->revision == 0);
}

TEST_CASE("after 24 hours an id is free again, and what was kept goes as new ones come") {
  Database database;
  CHECK(*database->KeepRequest(Nothing("r1")));
  CHECK(*database->KeepRequest(Nothing("r2")));
  database.Query("update kept_requests set created_at = now() - interval '24 hours 1 second'");
  CHECK_FALSE(database->FindRequest("ann", "r1")->has_value());
  CHECK(*database->KeepRequest(Nothing("r1")));
  CHECK(database->FindRequest("ann", "r1")->has_value());
  CHECK(database.Query("select string_agg(request_id, ',') from kept_requests") == "r1\n");
}

TEST_CASE("the last thousand requests of a gateway are kept and the one before them is dropped") {
  Database database;
  database.Query(
      "insert into kept_requests (caller, request_id, fingerprint, gateway_id, entity_id, version, created_at)"
      " select 'ann', 'r' || n, '', '1', '', 1, now() - interval '1 minute' + n * interval '1 ms'"
      " from generate_series(1, 1000) n");
  CHECK(*database->KeepRequest(Nothing("new")));
  CHECK(database.Query("select count(*), count(*) filter (where request_id = 'r1') from kept_requests") ==
        "1000|0\n");
}

TEST_CASE("what was asked is not in the database in clear") {
  Database database;
  REQUIRE(database->Commit(WithRequest(WriteOf(1, 0), "r1")).ok());
  CHECK(database.Query("select position('what was asked' in encode(fingerprint, 'escape')) from kept_requests") ==
        "0\n");
}

// Makes the version as large as that.
void Inflate(const Database& database, int version, int64_t bytes) {
  database.Query("update versions set config = decode(repeat('00', " + std::to_string(bytes) +
                 "), 'hex') where version = " + std::to_string(version));
}

std::string Versions(const Database& database) {
  return database.Query("select string_agg(version::text, ',' order by version) from versions");
}

TEST_CASE("versions of more bytes than are kept go, oldest first, but for the newest three") {
  Database database;
  database.Create();
  for (int64_t version = 1; version < 4; ++version) {
    Inflate(database, static_cast<int>(version), kMaxVersionBytesKept / 2);
    REQUIRE(database->Commit(WriteOf(1, version)).ok());
  }
  CHECK(Versions(database) == "2,3,4\n");
}

TEST_CASE("as many bytes of versions as are kept stay") {
  Database database;
  database.Create();
  Inflate(database, 1, kMaxVersionBytesKept / 2);
  for (int64_t version = 1; version < 4; ++version) REQUIRE(database->Commit(WriteOf(1, version)).ok());
  REQUIRE(Versions(database) == "1,2,3,4\n");
  const int64_t others = std::stoll(database.Query("select sum(length(config)) from versions where version > 1"));
  const int64_t next = others / 3;  // they are alike
  Inflate(database, 1, kMaxVersionBytesKept - others - next);
  REQUIRE(database->Commit(WriteOf(1, 4)).ok());
  CHECK(Versions(database) == "1,2,3,4,5\n");
  REQUIRE(database->Commit(WriteOf(1, 5)).ok());
  CHECK(Versions(database) == "2,3,4,5,6\n");
}

TEST_CASE("a version reads with what it changed, and without where nobody counted") {
  Database database;
  Write write = WriteOf(1, 0);
  write.changes = {3, 2, 1};
  REQUIRE(database->Commit(write).ok());
  CHECK(database->ListVersions("1", 0, 1)->front().changes->created == 3);
  CHECK(database->GetVersion("1", 1)->changes->deleted == 1);
  database.Query("update versions set created = null, updated = null, deleted = null");
  CHECK_FALSE(database->GetVersion("1", 1)->changes.has_value());
}

}  // namespace
}  // namespace sluice::store
