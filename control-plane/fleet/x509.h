#pragma once

// Certificates and keys on OpenSSL: made, signed, written and read as PEM. Stateless.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

struct evp_pkey_st;
struct x509_st;

namespace sluice::fleet {

using Key = std::shared_ptr<evp_pkey_st>;
using Certificate = std::shared_ptr<x509_st>;

struct CertificateFields {
  std::string common_name;
  std::vector<std::string> names;  // DNS names and addresses; none: no such extension
  int days = 0;
  bool is_authority = false;
  bool for_server = false;
  bool for_client = false;
};

Key MakeKey();  // ECDSA P-256
// Signed by `issuer_key`; `issuer` null: self-signed. Valid from an hour ago, for clocks that differ.
absl::StatusOr<Certificate> MakeCertificate(const CertificateFields& fields, const Key& subject_key, WallTime now,
                                            const Certificate& issuer, const Key& issuer_key);

std::string ToPem(const Key& key);
std::string ToPem(const Certificate& certificate);
absl::StatusOr<Key> KeyFromPem(const std::string& pem);
absl::StatusOr<Certificate> CertificateFromPem(const std::string& pem);
bool Matches(const Certificate& certificate, const Key& key);

// A DNS name ("*." allowed in front) or an IPv4 or IPv6 address.
bool IsCertificateName(const std::string& name);
bool IsAddress(const std::string& name);

}  // namespace sluice::fleet
