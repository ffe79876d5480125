#pragma once

// The platform's own certificate authority (ECDSA P-256), which nodes and the control plane trust and nobody else needs
// to. Made at the first start in a folder of its own; its key never leaves that folder. Immutable once open; callable
// from every thread.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

struct evp_pkey_st;
struct x509_st;

namespace sluice::fleet {

inline constexpr int kAuthorityDays = 3650;
inline constexpr int kCertificateDays = 365;
inline constexpr size_t kMaxNodeNameBytes = 64;  // X.520's bound of a common name
inline constexpr size_t kMaxNames = 64;          // of one certificate

enum class CertificateKind {
  kServer,  // the Sync port: DNS names and addresses
  kNode,    // a node towards the control plane: its name is the common name
  kEdge,    // a node towards clients: DNS names, each with the names right below it
};

struct Issued {
  std::string certificate;  // PEM
  std::string key;          // PEM, PKCS #8
};

class Authority {
 public:
  // Reads ca.key and ca.pem of the folder, making what is missing (0600, the folder 0700). Two processes that start at
  // once end with the same authority.
  static absl::StatusOr<std::unique_ptr<Authority>> OpenOrCreate(const std::string& folder, const Clock& clock);

  const std::string& certificate() const { return pem_; }  // PEM
  // A new key and its certificate, the authority's signature on it. INVALID_ARGUMENT names the name that is none.
  absl::StatusOr<Issued> Issue(CertificateKind kind, const std::vector<std::string>& names) const;

 private:
  explicit Authority(const Clock& clock) : clock_(clock) {}
  const Clock& clock_;
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<x509_st> certificate_;
  std::string pem_;
};

// Letters, digits, '-', '_' and '.', from 1 to 64 bytes.
bool IsNodeName(const std::string& name);

}  // namespace sluice::fleet
