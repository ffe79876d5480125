#pragma once

// Certificates and keys on OpenSSL: made, signed, written and read as PEM. Stateless.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

struct evp_pkey_st;
struct x509_st;

namespace sluice::x509 {

inline constexpr size_t kMaxChain = 16;  // certificates read from one text

using Key = std::shared_ptr<evp_pkey_st>;  // with or without its private part
using Certificate = std::shared_ptr<x509_st>;

struct CertificateFields {
  std::string common_name;
  std::vector<std::string> names;  // DNS names and addresses
  std::vector<std::string> uris;   // where both are empty there is no such extension
  Duration life{};
  Duration backdate{};  // valid from so long ago, for clocks that differ
  bool is_authority = false;
  bool for_server = false;
  bool for_client = false;
};

Key MakeKey();  // ECDSA P-256
// Signed by `issuer_key`; `issuer` null: self-signed.
absl::StatusOr<Certificate> MakeCertificate(const CertificateFields& fields, const Key& subject_key, WallTime now,
                                            const Certificate& issuer, const Key& issuer_key);

std::string ToPem(const Key& key);
std::string ToPem(const Certificate& certificate);
absl::StatusOr<Key> KeyFromPem(const std::string& pem);
absl::StatusOr<Certificate> CertificateFromPem(const std::string& pem);  // the first in it
std::vector<Certificate> CertificatesFromPem(const std::string& pem);    // at most kMaxChain
bool Matches(const Certificate& certificate, const Key& key);

std::string Fingerprint(const Certificate& certificate);  // SHA-256 of the DER, 64 lower-case hexadecimal digits
std::string KeyHash(const Key& key);                      // SHA-256 of the public key's DER, 32 bytes
Key PublicKey(const Certificate& certificate);
bool IsP256(const Key& key);
std::string CommonName(const Certificate& certificate);  // "": none, or several
std::vector<std::string> Uris(const Certificate& certificate);
WallTime NotBefore(const Certificate& certificate);
WallTime NotAfter(const Certificate& certificate);

// A DNS name ("*." allowed in front) or an IPv4 or IPv6 address.
bool IsCertificateName(const std::string& name);
bool IsAddress(const std::string& name);

}  // namespace sluice::x509
