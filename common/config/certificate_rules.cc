#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <optional>

#include "common/config/limits.h"
#include "common/config/pem.h"
#include "common/config/rules.h"
#include "common/schema/format.h"
#include "common/schema/text.h"
#include "common/schema/url.h"

namespace sluice::config {
namespace {

using schema::Cat;

std::string KindName(int key_type) {
  return key_type == EVP_PKEY_RSA ? "RSA" : "ECDSA";
}

// "" where the key is good enough for a certificate.
std::string KeyFault(const EVP_PKEY* key) {
  const int type = key == nullptr ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key);
  if (type != EVP_PKEY_RSA && type != EVP_PKEY_EC) return "expected an RSA or ECDSA key";
  const int bits = EVP_PKEY_get_bits(key);
  const int least = type == EVP_PKEY_RSA ? kMinRsaBits : kMinEcBits;
  if (bits < least)
    return Cat("its ", KindName(type), " key of ", bits, " bits is too small; use at least ", least, " bits");
  return "";
}

// "" where every client can verify what a node signs with the key, at a price that every handshake can pay.
std::string ServerKeyFault(const EVP_PKEY* key) {
  if (std::string fault = KeyFault(key); !fault.empty()) return fault;
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits <= kMaxRsaBits) return "";
    return Cat("its RSA key of ", bits, " bits is too large; use at most ", kMaxRsaBits, " bits");
  }
  char curve[64] = "";
  EVP_PKEY_get_group_name(key, curve, sizeof(curve), nullptr);
  for (const char* known : {"prime256v1", "secp384r1", "secp521r1"}) {
    if (std::string_view(curve) == known) return "";
  }
  return "expected an ECDSA key on P-256, P-384 or P-521: clients know no other curve";
}

// Nodes refuse such signatures, but not those of a self-signed certificate, which prove nothing.
std::string SignatureFault(X509* certificate) {
  constexpr int kMinSecurityBits = 112;  // OpenSSL's security level 2; SHA-256 has 128
  int security_bits = 0;
  if (X509_get_signature_info(certificate, nullptr, nullptr, &security_bits, nullptr) == 1 &&
      security_bits >= kMinSecurityBits)
    return "";
  return X509_self_signed(certificate, 0) == 1 ? ""
                                               : "is signed with a hash that is too weak; have it issued with SHA-256";
}

// One pair of `cert` and `key`, or of their alternates.
class Pair {
 public:
  Pair(Checkup& checkup, PrivateKeyReader& keys, int index, std::string_view suffix)
      : checkup_(checkup),
        keys_(keys),
        cert_at_(checkup.Path("certificate", index, Cat("cert", suffix))),
        key_at_(checkup.Path("certificate", index, Cat("key", suffix))) {}

  // The type of the key; EVP_PKEY_NONE where something is wrong.
  int Check(const std::string& cert, const std::string& key) {
    const auto chain = ReadCertificates(cert);
    if (!chain.ok()) AddCert(std::string(chain.status().message()));
    if (IsHashedKey(key)) {
      AddKey("no private key of this gateway has this hash; write the key's PEM text");
      return EVP_PKEY_NONE;
    }
    const auto private_key = keys_.Read(key);
    if (!private_key.ok()) AddKey(std::string(private_key.status().message()));
    if (!chain.ok() || !private_key.ok()) return EVP_PKEY_NONE;
    X509* leaf = chain->front().get();
    if (const std::string fault = ServerKeyFault(X509_get0_pubkey(leaf)); !fault.empty()) {
      AddCert(fault);
      return EVP_PKEY_NONE;
    }
    for (const auto& one : *chain) {
      if (const std::string fault = SignatureFault(one.get()); !fault.empty()) AddCert(fault);
    }
    if (EVP_PKEY_eq(X509_get0_pubkey(leaf), private_key->get()) != 1) {
      AddKey("certificate does not match key: write the key that this certificate was issued for");
      return EVP_PKEY_NONE;
    }
    return EVP_PKEY_get_base_id(private_key->get());
  }

  void AddCert(const std::string& message) { checkup_.violations.Add(cert_at_, message); }
  void AddKey(const std::string& message) { checkup_.violations.Add(key_at_, message); }

 private:
  Checkup& checkup_;
  PrivateKeyReader& keys_;
  const std::string cert_at_;
  const std::string key_at_;
};

void CheckCertificate(Checkup& checkup, PrivateKeyReader& keys, int index) {
  const v1::Certificate& certificate = checkup.config.certificates(index);
  int type = EVP_PKEY_NONE;
  // What is missing the schema names.
  if (certificate.has_cert() && certificate.has_key())
    type = Pair(checkup, keys, index, "").Check(certificate.cert(), certificate.key());
  if (!certificate.has_cert_alt() && !certificate.has_key_alt()) return;
  Pair alternate(checkup, keys, index, "_alt");
  if (!certificate.has_key_alt()) return alternate.AddKey("required field missing: cert_alt has a key of its own");
  if (!certificate.has_cert_alt())
    return alternate.AddCert("required field missing: key_alt has a certificate of its own");
  const int other = alternate.Check(certificate.cert_alt(), certificate.key_alt());
  if (type == EVP_PKEY_NONE || other != type) return;
  alternate.AddCert(Cat("has a key of the same type as cert, ", KindName(type), "; use ",
                        type == EVP_PKEY_RSA ? "an ECDSA" : "an RSA", " certificate, or leave it out"));
}

std::string AuthorityFault(const std::string& pem) {
  const auto chain = ReadCertificates(pem);
  if (!chain.ok()) return std::string(chain.status().message());
  if (chain->size() > 1) return "holds several certificates; write each one as a ca_certificate of its own";
  X509* authority = chain->front().get();
  if (X509_check_ca(authority) != 1)
    return "is not the certificate of an authority: the \"CA\" basic constraint is missing";
  const std::string fault = KeyFault(X509_get0_pubkey(authority));
  return fault.empty() ? SignatureFault(authority) : fault;
}

std::string SniFault(const std::string& name) {
  if (name == "*") return "";
  if (name != schema::Lower(name)) return "expected lower case";
  if (name.find(':') != std::string::npos) return "expected a host name without a port, not an address";
  if (name.ends_with('.')) return "expected a host name without a dot at its end";
  std::string plain = name;
  std::replace(plain.begin(), plain.end(), '*', 'x');
  if (schema::IsIpv4(plain)) return "expected a host name: clients never ask for an address by server name";
  return schema::FormatError(schema::v1::FORMAT_ROUTE_HOST, name);
}

}  // namespace

void CheckCertificates(Checkup& checkup) {
  const v1::GatewayConfig& config = checkup.config;
  std::optional<PrivateKeyReader> keys;  // most gateways have none
  if (config.certificates_size() > 0) keys.emplace();
  for (int i = 0; i < config.certificates_size(); ++i) CheckCertificate(checkup, *keys, i);
  for (int i = 0; i < config.ca_certificates_size(); ++i) {
    if (!config.ca_certificates(i).has_cert()) continue;
    const std::string fault = AuthorityFault(config.ca_certificates(i).cert());
    if (!fault.empty()) checkup.violations.Add(checkup.Path("ca_certificate", i, "cert"), fault);
  }
  for (int i = 0; i < config.snis_size(); ++i) {
    if (!config.snis(i).has_name()) continue;
    const std::string fault = SniFault(config.snis(i).name());
    if (!fault.empty()) checkup.violations.Add(checkup.Path("sni", i, "name"), fault);
  }
}

void CheckExpiry(const v1::GatewayConfig& current, const v1::GatewayConfig& wanted, int64_t now,
                 schema::Violations& violations, const DocumentPaths* paths) {
  absl::flat_hash_map<std::string_view, bool> known;
  for (const v1::CaCertificate& authority : current.ca_certificates()) known[authority.cert()] = true;
  const EntityPaths at(wanted, paths);
  for (int i = 0; i < wanted.ca_certificates_size(); ++i) {
    const std::string& pem = wanted.ca_certificates(i).cert();
    const auto chain = ReadCertificates(pem);
    if (known.contains(pem) || !chain.ok()) continue;
    time_t moment = now;
    if (X509_cmp_time(X509_get0_notAfter(chain->front().get()), &moment) > 0) continue;
    violations.Add(Cat(at.Of("ca_certificate", i), ".cert"),
                   "certificate expired, \"Not After\" time is in the past; use one that is in force");
  }
}

}  // namespace sluice::config
