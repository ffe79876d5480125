#pragma once

// Certificates as a node holds them: parsed once, immutable, shared by every worker and every handshake. Beside them
// the table that finds one by the name a client asks for, and the private authorities that a service may be verified
// against. Owned by whoever configures TLS: the node for its own, a gateway for its.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

typedef struct ssl_st SSL;
typedef struct evp_pkey_st EVP_PKEY;
typedef struct x509_st X509;
typedef struct x509_store_st X509_STORE;

namespace sluice::io {

// As server names are compared: lower case, one trailing dot dropped.
std::string CanonicalName(std::string_view name);

struct CertificateFiles {
  std::string certificate_path;  // PEM chain
  std::string key_path;
};

class Certificate {
 public:
  // PEM: the leaf, then its chain; a key without a passphrase that belongs to the leaf. Errors never quote the key.
  static absl::StatusOr<std::shared_ptr<const Certificate>> Parse(std::string_view chain, std::string_view key);
  // Errors name the file and what is wrong with it.
  static absl::StatusOr<std::shared_ptr<const Certificate>> Load(const CertificateFiles& files);
  ~Certificate();
  Certificate(const Certificate&) = delete;

  std::vector<std::string> DnsNames() const;  // canonical
  int key_type() const;                       // OpenSSL's EVP_PKEY_RSA, EVP_PKEY_EC, ...
  // SHA-256 of the leaf: names certificate and key, which belong to one another.
  const std::string& fingerprint() const { return fingerprint_; }
  // Adds it to what that connection can show: one of each key type.
  bool Use(SSL* ssl) const;

 private:
  Certificate() = default;
  std::vector<X509*> certificates_;  // the leaf first
  EVP_PKEY* key_ = nullptr;
  std::string fingerprint_;
};

using Certificates = std::vector<std::shared_ptr<const Certificate>>;  // of different key types

// Certificates by the names they are shown for. Finding one costs at most four look-ups, however many there are.
class CertificateTable {
 public:
  // `name`: "a.test", "*.test" (one label), "a.*" (one label), or "*". Of a name and key type the first one stays.
  void Add(std::string_view name, std::shared_ptr<const Certificate> certificate);
  // The most specific one's; empty where there is none. `name` is canonical.
  std::span<const std::shared_ptr<const Certificate>> Find(std::string_view name) const;
  bool empty() const { return by_name_.empty(); }

 private:
  absl::flat_hash_map<std::string, Certificates> by_name_;
};

// Authorities that are trusted in place of the system's.
class TlsAuthorities {
 public:
  // PEM, one certificate each.
  static absl::StatusOr<std::shared_ptr<const TlsAuthorities>> Parse(std::span<const std::string> certificates);
  ~TlsAuthorities();
  TlsAuthorities(const TlsAuthorities&) = delete;

  const std::string& fingerprint() const { return fingerprint_; }  // the same for the same ones in the same order
  X509_STORE* store() const { return store_; }

 private:
  explicit TlsAuthorities(X509_STORE* store) : store_(store) {}
  X509_STORE* store_;
  std::string fingerprint_;
};

}  // namespace sluice::io
