#include "data-plane/io/certificate.h"

#include <openssl/evp.h>

#include "tests/data-plane/io/certificates.h"

namespace sluice::io {
namespace {

std::shared_ptr<const Certificate> Loaded(const CertificateFiles& files) {
  auto loaded = Certificate::Load(files);
  INFO(loaded.status().ToString());
  REQUIRE(loaded.ok());
  return *loaded;
}

struct Pems {
  explicit Pems(const TestAuthority::Options& options = {.dns = {"a.test"}}) {
    const CertificateFiles files = authority.Issue("a", options);
    chain = TextOf(files.certificate_path);
    key = TextOf(files.key_path);
  }
  std::string Failure() { return std::string(Certificate::Parse(chain, key).status().message()); }
  TestAuthority authority;
  std::string chain;
  std::string key;
};

TEST_CASE("a certificate knows its names, in lower case") {
  TestAuthority authority;
  const auto certificate = Loaded(authority.Issue("a", {.dns = {"A.test", "*.b.Test"}, .ips = {"127.0.0.1"}}));
  CHECK(certificate->DnsNames() == std::vector<std::string>{"a.test", "*.b.test"});
}

TEST_CASE("text that is no certificate, or none to its end, is refused") {
  Pems pems;
  CHECK(pems.Failure().empty());
  pems.chain += "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  CHECK(pems.Failure().starts_with("the certificate: "));
  pems.chain = "hello";
  CHECK(pems.Failure() == "the certificate: no start line");
}

TEST_CASE("a key that is none, or another's, is refused and not repeated") {
  Pems pems, others;
  pems.key = others.key;
  CHECK(pems.Failure() == "the key does not belong to the certificate");
  pems.key = "secret";
  CHECK(pems.Failure().starts_with("the key: "));
  CHECK(pems.Failure().find("secret") == std::string::npos);
}

TEST_CASE("an RSA key of 2048 bits is strong enough, one of 1024 is not") {
  CHECK(Pems({.dns = {"a.test"}, .rsa_bits = 2048}).Failure().empty());
  CHECK(Pems({.dns = {"a.test"}, .rsa_bits = 1024}).Failure() ==
        "the certificate: its key or its signature is too weak");
}

TEST_CASE("names are found exactly, then by their first label's star, then by their last one's, then by a lone star") {
  TestAuthority authority;
  CertificateTable table;
  const std::vector<std::string> names = {"x.a.test", "*.a.test", "x.*", "*"};
  for (const std::string& name : names) table.Add(name, Loaded(authority.Issue("c", {.dns = {name}})));
  const auto found = [&](std::string_view name) { return table.Find(name).front()->DnsNames().front(); };
  CHECK(found("x.a.test") == "x.a.test");
  CHECK(found("y.a.test") == "*.a.test");
  CHECK(found("x.test") == "x.*");
  CHECK(found("x.y.a.test") == "*");
  CHECK(found("a.test") == "*");
  CHECK(found("") == "*");
}

TEST_CASE("of a name, the first certificate of each key type is kept") {
  TestAuthority authority;
  CertificateTable table;
  const auto first = Loaded(authority.Issue("first", {.dns = {"a.test"}}));
  const auto rsa = Loaded(authority.Issue("rsa", {.dns = {"a.test"}, .rsa_bits = 2048}));
  for (const auto& certificate : {first, Loaded(authority.Issue("second", {.dns = {"a.test"}})), rsa}) {
    table.Add("A.test", certificate);
  }
  const auto found = table.Find("a.test");
  CHECK(std::vector(found.begin(), found.end()) == Certificates{first, rsa});
  CHECK(table.Find("b.test").empty());
}

}  // namespace
}  // namespace sluice::io
