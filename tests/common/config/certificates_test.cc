#include "common/config/pem.h"
#include "common/config/redact.h"
#include "common/schema/text.h"
#include "tests/common/config/support.h"
#include "tests/support/pems.h"

using namespace sluice;
using namespace sluice::config;

namespace {

using schema::Cat;

constexpr char kId[] = "11111111-1111-4111-8111-111111111111";

// "name": "text" with the line ends of `text` escaped.
std::string Field(std::string_view name, std::string_view text) {
  std::string out = Cat("\"", name, "\":\"");
  for (const char c : text) out += c == '\n' ? std::string("\\n") : std::string(1, c);
  return out + "\"";
}

std::string Pair(std::string_view cert, std::string_view key) {
  return Cat(Field("cert", cert), ",", Field("key", key));
}
std::string Alternate(std::string_view cert, std::string_view key) {
  return Cat(",", Field("cert_alt", cert), ",", Field("key_alt", key));
}
std::string Certificate(const std::string& fields) {
  return Cat("\"certificates\":[{\"id\":\"", kId, "\",", fields, "}]");
}
std::string Mistake(const std::string& fields) {
  return Apply(Certificate(fields)).text();
}
std::string Authority(std::string_view cert) {
  return Cat("\"ca_certificates\":[{\"id\":\"", kId, "\",", Field("cert", cert), "}]");
}
std::string Sni(const std::string& name) {
  return Apply(Certificate(Pair(test::kEcCertificate, test::kEcKey) + ",\"snis\":[{\"name\":\"" + name + "\"}]"))
      .text();
}

}  // namespace

TEST_CASE("a certificate with its key is accepted, of either type and form") {
  CHECK(Mistake(Pair(test::kEcCertificate, test::kEcKey)) == "");
  CHECK(Mistake(Pair(test::kRsaCertificate, test::kRsaKey)) == "");
  CHECK(Mistake(Pair(test::kRsaCertificate, test::kTraditionalRsaKey)) == "");
  CHECK(Mistake(Pair(test::kEcCertificate, test::kEcKey) + Alternate(test::kRsaCertificate, test::kRsaKey)) == "");
}

TEST_CASE("a key may come with the parameters of its curve, as `openssl ecparam -genkey` writes it") {
  const std::string parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  CHECK(Mistake(Pair(test::kEcCertificate, parameters + test::kEcKey)) == "");
}

TEST_CASE("a damaged key does not keep the next one from being read") {
  PrivateKeyReader keys;
  const std::string damaged = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
  CHECK(keys.Read(damaged).status().message() == "cannot be read: the PEM text of the private key is damaged");
  CHECK(keys.Read(test::kRsaKey).ok());
  CHECK_FALSE(keys.Read(std::string(test::kEcKey).substr(0, 100)).ok());
  CHECK(keys.Read(test::kEcKey).ok());
  CHECK_FALSE(keys.Read("PRIVATE KEY-----").ok());
}

TEST_CASE("a certificate may carry its chain") {
  CHECK(Mistake(Pair(std::string(test::kEcCertificate) + test::kAuthority, test::kEcKey)) == "");
}

TEST_CASE("a certificate needs its key") {
  CHECK(Mistake(Field("cert", test::kEcCertificate)) == "certificates[0].key: required field missing");
  CHECK(Mistake(Field("key", test::kEcKey)) == "certificates[0].cert: required field missing");
}

TEST_CASE("a key of another certificate is refused") {
  CHECK(Mistake(Pair(test::kEcCertificate, test::kOtherEcKey)) ==
        "certificates[0].key: certificate does not match key: write the key that this certificate was issued for");
}

TEST_CASE("text that is no certificate or key is refused without repeating it") {
  CHECK(Mistake(Pair("secret-cert", "secret-key")) ==
        "certificates[0].cert: holds no certificate: expected PEM text that begins with -----BEGIN CERTIFICATE-----\n"
        "certificates[0].key: holds no private key: expected PEM text that begins with -----BEGIN PRIVATE KEY-----");
}

TEST_CASE("a damaged certificate in a chain is named by its number") {
  const std::string broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  CHECK(Mistake(Pair(test::kEcCertificate + broken, test::kEcKey)) ==
        "certificates[0].cert: certificate 2 in it cannot be read: the PEM text is damaged");
}

TEST_CASE("a private key among the certificates is refused, since those are shown") {
  CHECK(Mistake(Pair(std::string(test::kEcCertificate) + test::kEcKey, test::kEcKey)) ==
        "certificates[0].cert: holds a private key too, which everyone who may read the configuration would see; write "
        "it as the key");
}

TEST_CASE("a key under a passphrase is refused with the way out") {
  CHECK(Mistake(Pair(test::kEcCertificate, test::kEncryptedKey)) ==
        "certificates[0].key: is protected by a passphrase; write it without one, as `openssl pkey -in key.pem` prints "
        "it");
}

TEST_CASE("keys that are too small, or of a type that clients do not know, are refused") {
  CHECK(Mistake(Pair(test::kSmallRsaCertificate, test::kSmallRsaKey)) ==
        "certificates[0].cert: its RSA key of 1024 bits is too small; use at least 2048 bits");
  CHECK(Mistake(Pair(test::kEd25519Certificate, test::kEd25519Key)) ==
        "certificates[0].cert: expected an RSA or ECDSA key");
  CHECK(Mistake(Pair(test::kOddCurveCertificate, test::kOddCurveKey)) ==
        "certificates[0].cert: expected an ECDSA key on P-256, P-384 or P-521: clients know no other curve");
}

TEST_CASE("an RSA key has at most 4096 bits, since every handshake pays for them") {
  CHECK(Mistake(Pair(test::kRsa4096Certificate, test::kRsa4096Key)) == "");
  CHECK(Mistake(Pair(test::kRsa4104Certificate, test::kRsa4104Key)) ==
        "certificates[0].cert: its RSA key of 4104 bits is too large; use at most 4096 bits");
}

TEST_CASE("a certificate signed with SHA-1 is refused") {
  CHECK(Mistake(Pair(test::kSha1Certificate, test::kEcKey)) ==
        "certificates[0].cert: is signed with a hash that is too weak; have it issued with SHA-256");
}

TEST_CASE("an alternate is whole, and of the other type") {
  const std::string pair = Pair(test::kEcCertificate, test::kEcKey);
  CHECK(Mistake(pair + "," + Field("cert_alt", test::kRsaCertificate)) ==
        "certificates[0].key_alt: required field missing: cert_alt has a key of its own");
  CHECK(Mistake(pair + Alternate(test::kOtherEcCertificate, test::kOtherEcKey)) ==
        "certificates[0].cert_alt: has a key of the same type as cert, ECDSA; use an RSA certificate, or leave it out");
}

TEST_CASE("a chain ends at its largest length") {
  std::string chain = test::kEcCertificate;
  for (int i = 0; i < 9; ++i) chain += test::kAuthority;
  CHECK(Mistake(Pair(chain, test::kEcKey)) == "");
  CHECK(Mistake(Pair(chain + test::kAuthority, test::kEcKey)) ==
        "certificates[0].cert: holds more than 10 certificates");
}

TEST_CASE("server names are host names, with a wildcard label at either end or alone") {
  for (const char* name : {"a.test", "*.a.test", "a.*", "*", "x_y.test", "A.Test"}) CHECK(Sni(name) == "");
  CHECK(Sni("*.*.test") ==
        "certificates[0].snis[0].name: invalid value '*.*.test': only one wildcard must be specified");
  CHECK(Sni("a*.test") ==
        "certificates[0].snis[0].name: invalid value 'a*.test': wildcard must be leftmost or rightmost character");
  CHECK(Sni("a.test:443") == "certificates[0].snis[0].name: expected a host name without a port, not an address");
  CHECK(Sni("a.test.") == "certificates[0].snis[0].name: expected a host name without a dot at its end");
  CHECK(Sni("192.0.2.1") ==
        "certificates[0].snis[0].name: expected a host name: clients never ask for an address by server name");
}

TEST_CASE("a server name is kept in lower case and belongs to one certificate") {
  const std::string pair = Certificate(Pair(test::kEcCertificate, test::kEcKey));
  const auto sni = [](const char* name) {
    return Cat(R"({"certificate":{"id":")", kId, R"("},"name":")", name, "\"}");
  };
  CHECK(Good(pair + ",\"snis\":[" + sni("A.Test") + "]").snis(0).name() == "a.test");
  CHECK(Apply(pair + ",\"snis\":[" + sni("a.test") + "," + sni("A.test") + "]").text() ==
        "snis[1].name: 'a.test' is used by another sni");
}

TEST_CASE("an authority is one certificate that may sign others; its digest is filled in") {
  const v1::CaCertificate authority = Good(Authority(test::kAuthority)).ca_certificates(0);
  CHECK(authority.cert_digest().size() == 64);
  CHECK(Apply(Authority(test::kEcCertificate)).text() ==
        "ca_certificates[0].cert: is not the certificate of an authority: the \"CA\" basic constraint is missing");
  CHECK(Apply(Authority(std::string(test::kAuthority) + test::kAuthority)).text() ==
        "ca_certificates[0].cert: holds several certificates; write each one as a ca_certificate of its own");
}

TEST_CASE("an authority stands once in a gateway") {
  CHECK(Apply(Cat("\"ca_certificates\":[{", Field("cert", test::kAuthority), "},{",
                  Field("cert", std::string("  ") + test::kAuthority), "}]"))
            .text() == "ca_certificates[1].cert: there is another ca_certificate with this certificate");
}

TEST_CASE("an expired authority is refused when it is written, not once it is there") {
  constexpr int64_t kNow = 1'800'000'000;
  const v1::GatewayConfig expired = Good(Authority(test::kExpiredAuthority));
  schema::Violations fresh, kept;
  CheckExpiry({}, expired, kNow, fresh);
  CheckExpiry(expired, expired, kNow, kept);
  CHECK(Text(fresh) == Cat("ca_certificates[", kId, "].cert: certificate expired, \"Not After\" time is in the past; ",
                           "use one that is in force"));
  CHECK(kept.empty());
}

TEST_CASE("services and upstreams refer to certificates and authorities by id") {
  const std::string service =
      Cat(R"("services":[{"name":"s","host":"a.example","protocol":"https","client_certificate":{"id":")", kId,
          R"("},"ca_certificates":["22222222-2222-4222-8222-222222222222"]}])");
  CHECK(Apply(service).text() ==
        Cat("services[0].client_certificate: there is no certificate '", kId,
            "'\nservices[0].ca_certificates[0]: there is no ca_certificate '22222222-2222-4222-8222-222222222222'"));
  const std::string upstream = Cat(R"("upstreams":[{"name":"u","client_certificate":{"id":")", kId, R"("}}])");
  CHECK(
      Good(Certificate(Pair(test::kEcCertificate, test::kEcKey)) + "," + upstream).upstreams(0).client_certificate() ==
      kId);
}

TEST_CASE("a service in clear text has no certificates") {
  CHECK(Apply(Cat(Certificate(Pair(test::kEcCertificate, test::kEcKey)),
                  R"(,"services":[{"name":"s","host":"a.example","client_certificate":")", kId, R"("}])"))
            .text() == "services[0].client_certificate: value must be null when 'protocol' is 'http'");
}

TEST_CASE("a dump shows hashes of private keys, and applies without a change") {
  const v1::GatewayConfig config =
      Good(Certificate(Pair(test::kEcCertificate, test::kEcKey) + Alternate(test::kRsaCertificate, test::kRsaKey) +
                       R"(,"snis":[{"name":"a.test","tags":["x"]}])") +
           "," + Authority(test::kAuthority));
  const google::protobuf::Struct dump = WriteDocument(config);
  CHECK(schema::ToJson(dump).find("PRIVATE KEY") == std::string::npos);
  CHECK(schema::ToJson(dump).find("\"key\":\"sha256:") != std::string::npos);
  CHECK(Text(Changes(config, dump)) == "");
}

TEST_CASE("a document without ids applies twice without a change") {
  const google::protobuf::Struct document =
      Document(Cat("\"certificates\":[{", Pair(test::kEcCertificate, test::kEcKey), R"(,"snis":[{"name":"a.test"}]}],)",
                   "\"ca_certificates\":[{", Field("cert", test::kAuthority), "}]"));
  CHECK(Text(Changes(Apply(document).config, document)) == "");
}

TEST_CASE("the hash of a key that the gateway does not have is refused") {
  CHECK(Mistake(Pair(test::kEcCertificate, HashKey(test::kEcKey))) ==
        "certificates[0].key: no private key of this gateway has this hash; write the key's PEM text");
}

TEST_CASE("a new key shows in no difference") {
  const v1::GatewayConfig config = Good(Certificate(Pair(test::kEcCertificate, test::kEcKey)));
  const std::string changes =
      Text(Changes(config, Document(Certificate(Pair(test::kOtherEcCertificate, test::kOtherEcKey)))));
  CHECK(changes.find(R"( key "***" -> "***")") != std::string::npos);
  CHECK(changes.find("PRIVATE KEY") == std::string::npos);
}

TEST_CASE("removing a certificate removes its server names") {
  v1::GatewayConfig config =
      Good(Certificate(Pair(test::kEcCertificate, test::kEcKey) + R"(,"snis":[{"name":"a.test"}])"));
  CHECK(RemoveEntity(config, "certificate", kId));
  CHECK(config.snis_size() == 0);
}

TEST_CASE("a gateway has at most a thousand certificates") {
  std::string list;
  for (int i = 0; i < 1001; ++i) list += i == 0 ? "{}" : ",{}";
  CHECK(Apply(Cat("\"certificates\":[", list, "]")).text() ==
        "certificates: has 1001 entities, at most 1000 are allowed");
  CHECK(Apply(Cat("\"certificates\":[", list.substr(3), "]")).text().find("at most 1000") == std::string::npos);
}
