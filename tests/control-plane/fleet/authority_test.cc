#include "control-plane/fleet/authority.h"

#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "catch2/catch.hpp"
#include "control-plane/fleet/issue.h"
#include "tests/support/process.h"

namespace sluice::fleet {
namespace {

const SystemClock kClock;

std::unique_ptr<Authority> Open(const test::TempDir& folder) {
  auto authority = Authority::OpenOrCreate(folder / "pki", kClock);
  REQUIRE(authority.ok());
  return *std::move(authority);
}

// What `openssl verify` says of the certificate for that purpose.
std::string Verify(const Authority& authority, const Issued& issued, const std::vector<std::string>& options) {
  const test::TempDir folder;
  test::WriteFile(folder / "ca.pem", authority.certificate());
  test::WriteFile(folder / "cert.pem", issued.certificate);
  std::vector<std::string> command = {"openssl", "verify", "-x509_strict", "-CAfile", folder / "ca.pem"};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(folder / "cert.pem");
  return test::Run(command).exit_code == 0 ? "OK" : "refused";
}

int Mode(const std::string& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

TEST_CASE("a node's certificate is good for a client and not for a server") {
  const test::TempDir folder;
  const auto authority = Open(folder);
  const auto issued = authority->Issue(CertificateKind::kNode, {"node-1"});
  REQUIRE(issued.ok());
  CHECK(Verify(*authority, *issued, {"-purpose", "sslclient"}) == "OK");
  CHECK(Verify(*authority, *issued, {"-purpose", "sslserver"}) == "refused");
}

TEST_CASE("a server's certificate is good for its names and addresses, and not for a client") {
  const test::TempDir folder;
  const auto authority = Open(folder);
  const auto issued = authority->Issue(CertificateKind::kServer, {"control.test", "127.0.0.1", "::1"});
  REQUIRE(issued.ok());
  CHECK(Verify(*authority, *issued, {"-purpose", "sslserver", "-verify_hostname", "control.test"}) == "OK");
  CHECK(Verify(*authority, *issued, {"-purpose", "sslserver", "-verify_ip", "127.0.0.1"}) == "OK");
  CHECK(Verify(*authority, *issued, {"-purpose", "sslserver", "-verify_ip", "::1"}) == "OK");
  CHECK(Verify(*authority, *issued, {"-purpose", "sslserver", "-verify_hostname", "other.test"}) == "refused");
  CHECK(Verify(*authority, *issued, {"-purpose", "sslclient"}) == "refused");
}

TEST_CASE("an edge certificate covers every host below the base domain") {
  const test::TempDir folder;
  const auto authority = Open(folder);
  const auto issued = authority->Issue(CertificateKind::kEdge, {"*.gw.localhost"});
  REQUIRE(issued.ok());
  CHECK(Verify(*authority, *issued, {"-verify_hostname", "0123456789.gw.localhost"}) == "OK");
  CHECK(Verify(*authority, *issued, {"-verify_hostname", "a.b.gw.localhost"}) == "refused");
}

TEST_CASE("an edge certificate of a base domain covers the domain and the hosts below it") {
  const test::TempDir folder;
  const auto authority = Open(folder);
  const auto issued = authority->Issue(CertificateKind::kEdge, {"gw.localhost"});
  REQUIRE(issued.ok());
  CHECK(Verify(*authority, *issued, {"-verify_hostname", "gw.localhost"}) == "OK");
  CHECK(Verify(*authority, *issued, {"-verify_hostname", "0123456789.gw.localhost"}) == "OK");
}

TEST_CASE("a certificate of another authority is not trusted") {
  const test::TempDir first, second;
  const auto ours = Open(first);
  const auto issued = Open(second)->Issue(CertificateKind::kNode, {"node-1"});
  CHECK(Verify(*ours, *issued, {}) == "refused");
}

TEST_CASE("the authority is the same after a restart") {
  const test::TempDir folder;
  const std::string before = Open(folder)->certificate();
  CHECK(Open(folder)->certificate() == before);
}

TEST_CASE("processes that make the authority at once end with one") {
  const test::TempDir folder;
  std::atomic<bool> go{false};
  std::vector<std::string> seen(8);
  std::vector<std::thread> processes;
  for (std::string& certificate : seen) {
    processes.emplace_back([&] {
      while (!go) std::this_thread::yield();
      auto authority = Authority::OpenOrCreate(folder / "pki", kClock);
      if (authority.ok()) certificate = (*authority)->certificate();
    });
  }
  go = true;
  for (std::thread& process : processes) process.join();
  for (const std::string& certificate : seen) CHECK(certificate == test::ReadFile(folder / "pki/ca.pem"));
}

TEST_CASE("the authority's key is for its owner alone") {
  const test::TempDir folder;
  Open(folder);
  CHECK(Mode(folder / "pki/ca.key") == 0600);
  CHECK(Mode(folder / "pki") == 0700);
}

TEST_CASE("an authority whose certificate belongs to another key is refused") {
  const test::TempDir folder, other;
  Open(folder);
  Open(other);
  test::WriteFile(folder / "pki/ca.pem", test::ReadFile(other / "pki/ca.pem"));
  CHECK(absl::IsFailedPrecondition(Authority::OpenOrCreate(folder / "pki", kClock).status()));
}

TEST_CASE("a key that cannot be read is named, never quoted") {
  const test::TempDir folder;
  Open(folder);
  test::WriteFile(folder / "pki/ca.key", "secret");
  CHECK(Authority::OpenOrCreate(folder / "pki", kClock).status().message() ==
        folder / "pki/ca.key" + " is not a private key");
}

TEST_CASE("what is no name gets no certificate") {
  const test::TempDir folder;
  const auto authority = Open(folder);
  for (const std::string name : {"", "a b", "a,DNS:b", "-a.test", "a..test", "*.*.test", "a*.test", "a.test\n"}) {
    CHECK(absl::IsInvalidArgument(authority->Issue(CertificateKind::kEdge, {name}).status()));
  }
  CHECK(absl::IsInvalidArgument(authority->Issue(CertificateKind::kNode, {"a", "b"}).status()));
  CHECK(absl::IsInvalidArgument(authority->Issue(CertificateKind::kServer, {}).status()));
}

TEST_CASE("a node name of 64 bytes is one and of 65 is none") {
  CHECK(IsNodeName(std::string(64, 'n')));
  CHECK_FALSE(IsNodeName(std::string(65, 'n')));
  CHECK_FALSE(IsNodeName(""));
  CHECK_FALSE(IsNodeName("a/b"));
}

TEST_CASE("sixty-four names fit a certificate and one more does not") {
  const test::TempDir folder;
  const auto authority = Open(folder);
  CHECK(authority->Issue(CertificateKind::kServer, std::vector<std::string>(64, "a.test")).ok());
  CHECK(absl::IsInvalidArgument(
      authority->Issue(CertificateKind::kServer, std::vector<std::string>(65, "a.test")).status()));
}

TEST_CASE("a certificate is valid for a year from now") {
  const test::TempDir folder;
  const auto authority = Open(folder);
  const auto issued = authority->Issue(CertificateKind::kNode, {"node-1"});
  const auto day = [](int days) { return std::to_string(UnixSeconds(kClock.WallNow()) + days * 86400L); };
  CHECK(Verify(*authority, *issued, {"-attime", day(364)}) == "OK");
  CHECK(Verify(*authority, *issued, {"-attime", day(366)}) == "refused");
}

TEST_CASE("issued files are there with the key for its owner alone") {
  const test::TempDir folder;
  const auto authority = Open(folder);
  REQUIRE(IssueInto(*authority, CertificateKind::kNode, {"node-1"}, folder / "node").ok());
  CHECK(Mode(folder / "node/key.pem") == 0600);
  CHECK(test::ReadFile(folder / "node/ca.pem") == authority->certificate());
  const auto subject = test::Run({"openssl", "x509", "-in", folder / "node/cert.pem", "-noout", "-subject"});
  CHECK(subject.out == "subject=CN = node-1\n");
}

}  // namespace
}  // namespace sluice::fleet
