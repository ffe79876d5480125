#include "control-plane/fleet/trust.h"

#include <sys/stat.h>

#include "catch2/catch.hpp"
#include "control-plane/fleet/server_files.h"
#include "tests/support/fake_store.h"
#include "tests/support/process.h"

namespace sluice::fleet {
namespace {

class ManualClock final : public Clock {
 public:
  MonotonicTime Now() const override { return {}; }
  WallTime WallNow() const override { return now; }
  WallTime now = std::chrono::system_clock::now();
};

const store::AuditRecord kAudit{"test", "", "", "", "", "{}", "OK"};

struct Fleet {
  Fleet() { REQUIRE(trust.Open(folder / "pki").ok()); }

  std::string Certificate(const Authority& signer, const std::string& scope = "cell/default") {
    auto issued = signer.IssueNode("node-1", *store::Scope::Parse(scope), key, clock.now + std::chrono::hours(1));
    REQUIRE(issued.ok());
    return *issued;
  }

  test::TempDir folder;
  ManualClock clock;
  test::FakeStore store;
  Trust trust{store.identities(), clock};
  const x509::Key key = x509::MakeKey();
};

TEST_CASE("a node is known by its certificate: name, scope and key") {
  Fleet fleet;
  const auto peer = fleet.trust.Identify(fleet.Certificate(*fleet.trust.newest(), "gateway/g1"));
  REQUIRE(peer.ok());
  CHECK(peer->name == "node-1");
  CHECK(peer->scope == store::Scope::OfGateway("g1"));
  CHECK(peer->key == x509::KeyHash(fleet.key));
}

TEST_CASE("no certificate, a stranger's and a server's are refused") {
  Fleet fleet;
  const auto code = [&](const std::string& pem) { return fleet.trust.Identify(pem).status().code(); };
  CHECK(code("") == absl::StatusCode::kUnauthenticated);
  CHECK(code("garbage") == absl::StatusCode::kUnauthenticated);
  CHECK(code(fleet.Certificate(Authority::Make(fleet.clock))) == absl::StatusCode::kUnauthenticated);
  CHECK(code(*fleet.trust.oldest()->IssueServer(CertificateKind::kServer, {"a.test"}, fleet.key)) ==
        absl::StatusCode::kUnauthenticated);
}

TEST_CASE("an expired certificate is refused, also where it was good before") {
  Fleet fleet;
  const std::string certificate = fleet.Certificate(*fleet.trust.newest());
  const auto peer = fleet.trust.Identify(certificate);
  REQUIRE(peer.ok());
  fleet.clock.now += std::chrono::hours(2);
  CHECK(absl::IsUnauthenticated(fleet.trust.Check(*peer)));
  CHECK(absl::IsUnauthenticated(fleet.trust.Identify(certificate).status()));
}

TEST_CASE("a revoked key is refused from the next look at the store on") {
  Fleet fleet;
  const auto peer = fleet.trust.Identify(fleet.Certificate(*fleet.trust.newest()));
  bool changed = false;
  fleet.trust.OnChange([&] { changed = true; });
  fleet.store.identities().Revoke(peer->key);
  CHECK(fleet.trust.Check(*peer).ok());
  REQUIRE(fleet.trust.Refresh().ok());
  CHECK(changed);
  CHECK(absl::IsPermissionDenied(fleet.trust.Check(*peer)));
}

TEST_CASE("while one authority takes over from the other, both are trusted; then only the new one") {
  Fleet fleet;
  const auto old = fleet.trust.newest();
  const auto of_old = fleet.trust.Identify(fleet.Certificate(*old));
  REQUIRE(fleet.trust.Rotate(kAudit).ok());
  CHECK(fleet.trust.newest()->id() != old->id());
  CHECK(fleet.trust.oldest()->id() == old->id());
  const auto of_new = fleet.trust.Identify(fleet.Certificate(*fleet.trust.newest()));
  CHECK(of_new.ok());
  CHECK(fleet.trust.Check(*of_old).ok());
  CHECK(absl::IsFailedPrecondition(fleet.trust.Rotate(kAudit).status()));
  CHECK(*fleet.trust.Retire(false, kAudit) == old->id());
  CHECK(absl::IsUnauthenticated(fleet.trust.Check(*of_old)));
  CHECK(fleet.trust.Check(*of_new).ok());
  CHECK(absl::IsFailedPrecondition(fleet.trust.Retire(true, kAudit).status()));
}

TEST_CASE("replicas of one store trust the same authority") {
  Fleet fleet;
  Trust other(fleet.store.identities(), fleet.clock);
  REQUIRE(other.Open(fleet.folder / "elsewhere").ok());
  CHECK(other.newest()->id() == fleet.trust.newest()->id());
}

TEST_CASE("the authority that an older release left on the disk moves into the store") {
  test::TempDir folder;
  ManualClock clock;
  test::FakeStore store;
  const Authority before = Authority::Make(clock);
  test::WriteFile(folder / "ca.key", before.key());
  test::WriteFile(folder / "ca.pem", before.certificate());
  Trust trust(store.identities(), clock);
  REQUIRE(trust.Open(folder.path()).ok());
  CHECK(trust.newest()->id() == before.id());
  CHECK(test::ReadFile(folder / "ca.key").empty());
}

TEST_CASE("an authority on the disk that cannot be read stops the start, and stays") {
  test::TempDir folder;
  ManualClock clock;
  test::FakeStore store;
  test::WriteFile(folder / "ca.key", "secret");
  test::WriteFile(folder / "ca.pem", Authority::Make(clock).certificate());
  Trust trust(store.identities(), clock);
  const absl::Status status = trust.Open(folder.path());
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(status.message().find("secret") == std::string::npos);
  CHECK(test::ReadFile(folder / "ca.key") == "secret");
}

TEST_CASE("a certificate without a scope, of releases before, is the default cell's") {
  Fleet fleet;
  x509::CertificateFields fields;
  fields.common_name = "node-1";
  fields.life = std::chrono::hours(1);
  fields.for_client = true;
  const auto signer = fleet.trust.newest();
  const auto made = x509::MakeCertificate(fields, fleet.key, fleet.clock.now, signer->parsed(),
                                          *x509::KeyFromPem(signer->key()));
  CHECK(fleet.trust.Identify(x509::ToPem(*made))->scope == store::Scope::OfCell("default"));
}

TEST_CASE("the port's certificate follows the authorities, with the oldest behind it and its key kept") {
  Fleet fleet;
  ServerFiles files(fleet.folder.path(), "127.0.0.1:7002", {"a.test"}, fleet.clock);
  REQUIRE(files.Update(fleet.trust).ok());
  struct stat status {};
  REQUIRE(stat(files.key().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const std::string key = test::ReadFile(files.key());
  REQUIRE(fleet.trust.Rotate(kAudit).ok());
  REQUIRE(files.Update(fleet.trust).ok());
  const auto chain = x509::CertificatesFromPem(test::ReadFile(files.certificate()));
  REQUIRE(chain.size() == 2);
  CHECK(x509::Fingerprint(chain[1]) == fleet.trust.oldest()->id());
  CHECK(x509::CertificatesFromPem(test::ReadFile(fleet.folder / "ca.pem")).size() == 2);
  REQUIRE(fleet.trust.Retire(false, kAudit).ok());
  REQUIRE(files.Update(fleet.trust).ok());
  CHECK(x509::Fingerprint(x509::CertificatesFromPem(test::ReadFile(files.certificate()))[1]) ==
        fleet.trust.newest()->id());
  CHECK(test::ReadFile(files.key()) == key);
}

}  // namespace
}  // namespace sluice::fleet
