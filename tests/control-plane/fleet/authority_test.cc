#include "control-plane/fleet/authority.h"

#include "catch2/catch.hpp"
#include "tests/support/process.h"

namespace sluice::fleet {
namespace {

const SystemClock kClock;
const store::Scope kCell = store::Scope::OfCell("default");

// What `openssl verify` says of the certificate for that purpose.
std::string Verify(const Authority& authority, const std::string& certificate,
                   const std::vector<std::string>& options) {
  const test::TempDir folder;
  test::WriteFile(folder / "ca.pem", authority.certificate());
  test::WriteFile(folder / "cert.pem", certificate);
  std::vector<std::string> command = {"openssl", "verify", "-x509_strict", "-CAfile", folder / "ca.pem"};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(folder / "cert.pem");
  return test::Run(command).exit_code == 0 ? "OK" : "refused";
}

std::string IssueServer(const Authority& authority, CertificateKind kind, const std::vector<std::string>& names) {
  auto issued = authority.IssueServer(kind, names, x509::MakeKey());
  REQUIRE(issued.ok());
  return *issued;
}

std::string IssueNode(const Authority& authority, Duration life) {
  auto issued = authority.IssueNode("node-1", kCell, x509::MakeKey(),
                                    kClock.WallNow() + std::chrono::duration_cast<WallTime::duration>(life));
  REQUIRE(issued.ok());
  return *issued;
}

TEST_CASE("a node's certificate is good for a client and not for a server") {
  const Authority authority = Authority::Make(kClock);
  const std::string issued = IssueNode(authority, kDay);
  CHECK(Verify(authority, issued, {"-purpose", "sslclient"}) == "OK");
  CHECK(Verify(authority, issued, {"-purpose", "sslserver"}) == "refused");
}

TEST_CASE("a node's certificate says its name and what it may read") {
  const auto read = *x509::CertificateFromPem(IssueNode(Authority::Make(kClock), kDay));
  CHECK(x509::CommonName(read) == "node-1");
  CHECK(x509::Uris(read) == std::vector<std::string>{"sluice://node/cell/default"});
}

TEST_CASE("a node's certificate is good from a few minutes ago, or less where its life is short") {
  const Authority authority = Authority::Make(kClock);
  const auto day = *x509::CertificateFromPem(IssueNode(authority, kDay));
  const auto whole = std::chrono::round<std::chrono::minutes>(x509::NotAfter(day) - x509::NotBefore(day));
  CHECK(whole == std::chrono::hours(24) + std::chrono::minutes(5));
  const auto seconds = *x509::CertificateFromPem(IssueNode(authority, std::chrono::seconds(10)));
  CHECK(x509::NotAfter(seconds) - x509::NotBefore(seconds) <= std::chrono::seconds(11));
}

TEST_CASE("a server's certificate is good for its names and addresses, and not for a client") {
  const Authority authority = Authority::Make(kClock);
  const std::string issued = IssueServer(authority, CertificateKind::kServer, {"control.test", "127.0.0.1", "::1"});
  CHECK(Verify(authority, issued, {"-purpose", "sslserver", "-verify_hostname", "control.test"}) == "OK");
  CHECK(Verify(authority, issued, {"-purpose", "sslserver", "-verify_ip", "127.0.0.1"}) == "OK");
  CHECK(Verify(authority, issued, {"-purpose", "sslserver", "-verify_ip", "::1"}) == "OK");
  CHECK(Verify(authority, issued, {"-purpose", "sslserver", "-verify_hostname", "other.test"}) == "refused");
  CHECK(Verify(authority, issued, {"-purpose", "sslclient"}) == "refused");
}

TEST_CASE("an edge certificate covers every host below the base domain") {
  const Authority authority = Authority::Make(kClock);
  const std::string issued = IssueServer(authority, CertificateKind::kEdge, {"*.gw.localhost"});
  CHECK(Verify(authority, issued, {"-verify_hostname", "0123456789.gw.localhost"}) == "OK");
  CHECK(Verify(authority, issued, {"-verify_hostname", "a.b.gw.localhost"}) == "refused");
}

TEST_CASE("an edge certificate of a base domain covers the domain and the hosts below it") {
  const Authority authority = Authority::Make(kClock);
  const std::string issued = IssueServer(authority, CertificateKind::kEdge, {"gw.localhost"});
  CHECK(Verify(authority, issued, {"-verify_hostname", "gw.localhost"}) == "OK");
  CHECK(Verify(authority, issued, {"-verify_hostname", "0123456789.gw.localhost"}) == "OK");
}

TEST_CASE("a certificate of another authority is not trusted") {
  const Authority ours = Authority::Make(kClock);
  CHECK(Verify(ours, IssueNode(Authority::Make(kClock), kDay), {}) == "refused");
}

TEST_CASE("an authority is the same when it is read back, and only with its own key") {
  const Authority one = Authority::Make(kClock);
  const Authority other = Authority::Make(kClock);
  CHECK(Authority::FromPem(one.certificate(), one.key(), kClock)->id() == one.id());
  CHECK(Authority::FromPem(one.certificate(), other.key(), kClock).status().message() ==
        "not the certificate of the key");
  CHECK(Authority::FromPem(one.certificate(), "secret", kClock).status().message() == "not a private key");
}

TEST_CASE("what is no name gets no certificate") {
  const Authority authority = Authority::Make(kClock);
  const x509::Key key = x509::MakeKey();
  for (const std::string name : {"", "a b", "a,DNS:b", "-a.test", "a..test", "*.*.test", "a*.test", "a.test\n"}) {
    CHECK(absl::IsInvalidArgument(authority.IssueServer(CertificateKind::kEdge, {name}, key).status()));
  }
  CHECK(absl::IsInvalidArgument(authority.IssueServer(CertificateKind::kServer, {}, key).status()));
  CHECK(absl::IsInvalidArgument(authority.IssueNode("a b", kCell, key, kClock.WallNow() + kDay).status()));
}

TEST_CASE("a node name of 64 bytes is one and of 65 is none") {
  CHECK(IsNodeName(std::string(64, 'n')));
  CHECK_FALSE(IsNodeName(std::string(65, 'n')));
  CHECK_FALSE(IsNodeName(""));
  CHECK_FALSE(IsNodeName("a/b"));
}

TEST_CASE("sixty-four names fit a certificate and one more does not") {
  const Authority authority = Authority::Make(kClock);
  const x509::Key key = x509::MakeKey();
  const auto issue = [&](size_t count) {
    return authority.IssueServer(CertificateKind::kServer, std::vector<std::string>(count, "a.test"), key).status();
  };
  CHECK(issue(64).ok());
  CHECK(absl::IsInvalidArgument(issue(65)));
}

}  // namespace
}  // namespace sluice::fleet
