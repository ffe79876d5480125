// Authorities, join tokens and nodes on a real PostgreSQL.

#include "control-plane/store/identities.h"

#include "catch2/catch.hpp"
#include "tests/control-plane/store/fixture.h"

namespace sluice::store {
namespace {

const AuditRecord kAudit{"ann", "Join", "", "", "", "{}", "OK"};
const std::string kKey(32, 'k'), kOtherKey(32, 'o');

WallTime InHours(int hours) { return std::chrono::system_clock::now() + std::chrono::hours(hours); }
std::string Hash(int number) { return std::string(31, 'h') + static_cast<char>('a' + number); }

AuthorityRecord AuthorityOf(const std::string& id) { return {id, "certificate " + id, "key " + id, {}, 0}; }
IdentityRecord Node(const std::string& name, const std::string& key, int hours = 24) {
  return {name, Scope::OfCell("default"), key, "first", InHours(hours)};
}

class Fleet : public Database {
 public:
  Identities* operator->() const { return &store().identities(); }
  void Token(int number, const Scope& scope = Scope::OfCell("default"), int hours = 1) const {
    const JoinTokenRecord record{"t" + std::to_string(number), scope, "ann", InHours(hours - 1), InHours(hours), ""};
    REQUIRE(store().identities().PutJoinToken(record, Hash(number), kAudit).ok());
  }
  absl::StatusCode Redeem(int token, const IdentityRecord& node) const {
    return store().identities().Redeem(Hash(token), node, kAudit).status().code();
  }
};

TEST_CASE("an authority is kept sealed, and comes back as it was, the oldest first") {
  Fleet fleet;
  REQUIRE(fleet->AddAuthority(AuthorityOf("first"), 0, kAudit).ok());
  REQUIRE(fleet->AddAuthority(AuthorityOf("second"), 1, kAudit).ok());
  const auto record = fleet->Fleet();
  REQUIRE(record.ok());
  REQUIRE(record->authorities.size() == 2);
  CHECK(record->authorities[0].key == "key first");
  CHECK(record->authorities[1].certificate == "certificate second");
  CHECK(fleet.Query("select count(*) from authorities where position('key'::bytea in key) > 0") == "0\n");
}

TEST_CASE("of replicas that make the first authority at once, one does; a third is never trusted") {
  Fleet fleet;
  REQUIRE(fleet->AddAuthority(AuthorityOf("first"), 0, kAudit).ok());
  CHECK(absl::IsAborted(fleet->AddAuthority(AuthorityOf("other"), 0, kAudit)));
  REQUIRE(fleet->AddAuthority(AuthorityOf("second"), 1, kAudit).ok());
  CHECK(absl::IsFailedPrecondition(fleet->AddAuthority(AuthorityOf("third"), 2, kAudit)));
}

TEST_CASE("the only authority is not retired, and an older one only when no node has a certificate of it") {
  Fleet fleet;
  REQUIRE(fleet->AddAuthority(AuthorityOf("first"), 0, kAudit).ok());
  CHECK(absl::IsFailedPrecondition(fleet->RetireAuthority(true, kAudit).status()));
  REQUIRE(fleet->AddAuthority(AuthorityOf("second"), 1, kAudit).ok());
  fleet.Token(1);
  REQUIRE(fleet.Redeem(1, Node("node-1", kKey)) == absl::StatusCode::kOk);
  const absl::Status held = fleet->RetireAuthority(false, kAudit).status();
  CHECK(absl::IsFailedPrecondition(held));
  CHECK(held.message().find("node-1") != std::string::npos);
  CHECK(fleet->Fleet()->authorities[0].nodes == 1);
  IdentityRecord renewed = Node("node-1", kKey);
  renewed.authority = "second";
  REQUIRE(fleet->Renew(renewed).ok());
  CHECK(*fleet->RetireAuthority(false, kAudit) == "first");
  CHECK(fleet->Fleet()->authorities.size() == 1);
}

TEST_CASE("the fleet's revision moves with authorities and revocations, and with nothing else") {
  Fleet fleet;
  const int64_t before = *fleet->FleetRevision();
  fleet.Token(1);
  REQUIRE(fleet.Redeem(1, Node("node-1", kKey)) == absl::StatusCode::kOk);
  CHECK(*fleet->FleetRevision() == before);
  REQUIRE(fleet->AddAuthority(AuthorityOf("first"), 0, kAudit).ok());
  CHECK(*fleet->FleetRevision() == before + 1);
  REQUIRE(fleet->RevokeNode("node-1", kAudit).ok());
  CHECK(*fleet->FleetRevision() == before + 2);
}

TEST_CASE("a token is of one key and one name, used or not it expires, and an unknown one is none") {
  Fleet fleet;
  fleet.Token(1);
  fleet.Token(2, Scope::OfCell("default"), 0);
  CHECK(fleet.Redeem(1, Node("node-1", kKey)) == absl::StatusCode::kOk);
  CHECK(fleet.Redeem(1, Node("node-1", kKey)) == absl::StatusCode::kOk);
  CHECK(fleet.Redeem(1, Node("node-1", kOtherKey)) == absl::StatusCode::kPermissionDenied);
  CHECK(fleet.Redeem(1, Node("node-2", kKey)) == absl::StatusCode::kPermissionDenied);
  CHECK(fleet.Redeem(2, Node("node-2", kOtherKey)) == absl::StatusCode::kPermissionDenied);
  CHECK(fleet.Redeem(3, Node("node-2", kOtherKey)) == absl::StatusCode::kPermissionDenied);
  CHECK(fleet->JoinTokens()->size() == 2);
  CHECK(fleet.Query("select count(*) from audit where action = 'Join' and outcome = 'OK'") == "4\n");
}

TEST_CASE("a name is another node's again when its certificate has expired, in the same scope only") {
  Fleet fleet;
  fleet.Create(1);
  fleet.Query("update gateways set kind = 2");
  for (int i = 1; i <= 3; ++i) fleet.Token(i);
  fleet.Token(4, Scope::OfGateway("1"));
  REQUIRE(fleet.Redeem(1, Node("node-1", kKey)) == absl::StatusCode::kOk);
  CHECK(fleet.Redeem(2, Node("node-1", kOtherKey)) == absl::StatusCode::kAlreadyExists);
  fleet.Query("update node_identities set expires_at = now() - interval '1 second'");
  CHECK(fleet.Redeem(4, Node("node-1", kOtherKey)) == absl::StatusCode::kAlreadyExists);
  CHECK(fleet.Redeem(3, Node("node-1", kOtherKey)) == absl::StatusCode::kOk);
}

TEST_CASE("a token of a gateway gives its scope while the gateway is there and its owner's to serve") {
  Fleet fleet;
  fleet.Create(1);
  fleet.Token(1, Scope::OfGateway("1"));
  CHECK(fleet.Redeem(1, Node("node-1", kKey)) == absl::StatusCode::kFailedPrecondition);
  fleet.Query("update gateways set kind = 2");
  CHECK(*fleet->Redeem(Hash(1), Node("node-1", kKey), kAudit) == Scope::OfGateway("1"));
  CHECK(fleet->ListIdentities()->at(0).scope == Scope::OfGateway("1"));
}

TEST_CASE("a revoked node's key is refused, its name free, and it does not renew") {
  Fleet fleet;
  for (int i = 1; i <= 3; ++i) fleet.Token(i);
  REQUIRE(fleet.Redeem(1, Node("node-1", kKey)) == absl::StatusCode::kOk);
  REQUIRE(fleet->Renew(Node("node-1", kKey)).ok());
  REQUIRE(fleet->RevokeNode("node-1", kAudit).ok());
  CHECK(fleet->Fleet()->revoked == std::vector<std::string>{kKey});
  CHECK(absl::IsPermissionDenied(fleet->Renew(Node("node-1", kKey))));
  CHECK(fleet.Redeem(2, Node("node-1", kKey)) == absl::StatusCode::kPermissionDenied);
  CHECK(fleet.Redeem(3, Node("node-1", kOtherKey)) == absl::StatusCode::kOk);
  CHECK(absl::IsNotFound(fleet->RevokeNode("nobody", kAudit)));
}

TEST_CASE("a node that is removed is refused from then on, too") {
  Fleet fleet;
  fleet.Token(1);
  REQUIRE(fleet.Redeem(1, Node("node-1", kKey)) == absl::StatusCode::kOk);
  REQUIRE(fleet.store().RemoveNode("node-1", kAudit).ok());
  CHECK(fleet->Fleet()->revoked == std::vector<std::string>{kKey});
}

TEST_CASE("as many tokens wait as may, one more is refused, and a deleted one makes room") {
  Fleet fleet;
  fleet.Query("insert into join_tokens (id, hash, scope, author, expires_at) select 'x' || n, sha256(n::text::bytea),"
              " 'cell/default', 'ann', now() + interval '1 hour' from generate_series(1, " +
              std::to_string(kMaxJoinTokens - 1) + ") as n");
  fleet.Token(1);
  const JoinTokenRecord more{"more", Scope::OfCell("default"), "ann", InHours(0), InHours(1), ""};
  CHECK(absl::IsResourceExhausted(fleet->PutJoinToken(more, Hash(2), kAudit)));
  REQUIRE(fleet->DeleteJoinToken("x1", kAudit).ok());
  CHECK(absl::IsNotFound(fleet->DeleteJoinToken("x1", kAudit)));
  CHECK(fleet->PutJoinToken(more, Hash(2), kAudit).ok());
}

TEST_CASE("a scope is read as it is written, and nothing else is one") {
  CHECK(Scope::Parse("cell/default") == Scope::OfCell("default"));
  CHECK(Scope::Parse("gateway/g1")->name() == "g1");
  CHECK_FALSE(Scope::Parse("gateway/g1")->is_cell());
  for (const char* text : {"", "cell/", "cell", "gateway/", "node/x", "cell/a/b", "Cell/a"}) {
    INFO(text);
    CHECK_FALSE(Scope::Parse(text));
  }
}

}  // namespace
}  // namespace sluice::store
