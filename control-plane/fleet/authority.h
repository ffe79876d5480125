#pragma once

// One certificate authority of the platform (ECDSA P-256), which nodes and the control plane trust and nobody else
// needs to. Its key is in the store, sealed, and in the memory of every replica. Immutable; callable from every thread.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/x509/certificate.h"
#include "control-plane/store/identities.h"

namespace sluice::fleet {

inline constexpr Duration kDay = std::chrono::hours(24);
inline constexpr Duration kAuthorityLife = 3650 * kDay;
inline constexpr Duration kServerLife = 365 * kDay;
inline constexpr Duration kMaxBackdate = std::chrono::minutes(5);  // for clocks that differ; less for short lives
inline constexpr size_t kMaxNodeNameBytes = 64;  // X.520's bound of a common name
inline constexpr size_t kMaxNames = 64;          // of one certificate
inline constexpr char kNodeUri[] = "sluice://node/";  // before the text of its scope

enum class CertificateKind {
  kServer,  // the Sync port: DNS names and addresses
  kEdge,    // a node towards clients: DNS names, each with the names right below it
};

class Authority {
 public:
  static Authority Make(const Clock& clock);
  // INVALID_ARGUMENT never quotes them.
  static absl::StatusOr<Authority> FromPem(const std::string& certificate, const std::string& key, const Clock& clock);

  const std::string& id() const { return id_; }            // fingerprint of its certificate
  const std::string& certificate() const { return pem_; }  // PEM
  const x509::Certificate& parsed() const { return certificate_; }
  std::string key() const { return x509::ToPem(key_); }    // PEM, of which nothing may say a word

  // For a server with that key. INVALID_ARGUMENT names the name that is none. PEM.
  absl::StatusOr<std::string> IssueServer(CertificateKind kind, const std::vector<std::string>& names,
                                          const x509::Key& key) const;
  // For a node with that key, until `expires`. PEM.
  absl::StatusOr<std::string> IssueNode(const std::string& name, const store::Scope& scope, const x509::Key& key,
                                        WallTime expires) const;

 private:
  Authority(const Clock& clock, x509::Key key, x509::Certificate certificate);
  absl::StatusOr<std::string> Sign(const x509::CertificateFields& fields, const x509::Key& key) const;

  const Clock* clock_;
  x509::Key key_;
  x509::Certificate certificate_;
  std::string id_;
  std::string pem_;
};

// Letters, digits, '-', '_' and '.', from 1 to 64 bytes.
bool IsNodeName(const std::string& name);

}  // namespace sluice::fleet
