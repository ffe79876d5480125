#pragma once

// Who belongs to the fleet, as the database keeps it: authorities, join tokens, nodes and the keys that were revoked.
// Part of the store, and like it callable from every thread; calls block; UNAVAILABLE: the database cannot be reached.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "control-plane/store/scope.h"

namespace sluice::store {

struct AuditRecord;

inline constexpr int kMaxJoinTokens = 1000;       // that wait to be used
inline constexpr size_t kMaxAuthorities = 2;      // the old and the new
inline constexpr size_t kMaxNodesNamed = 10;      // in an error

struct AuthorityRecord {
  std::string id;           // SHA-256 of the certificate, in hexadecimal digits
  std::string certificate;  // PEM
  std::string key;          // PEM
  WallTime created;
  int64_t nodes = 0;        // with a certificate of it that has not expired
};

struct JoinTokenRecord {
  std::string id;
  Scope scope = Scope::OfCell(kDefaultCell);
  std::string author;
  WallTime created;
  WallTime expires;
  std::string node;  // that joined with it; "": none yet
};

struct IdentityRecord {
  std::string name;
  Scope scope = Scope::OfCell(kDefaultCell);
  std::string key;        // SHA-256 of the public key, 32 bytes
  std::string authority;  // id of the one that signed
  WallTime expires;       // of the certificate
};

// What every replica keeps in memory.
struct FleetRecord {
  int64_t revision = 0;
  std::vector<AuthorityRecord> authorities;  // oldest first
  std::vector<std::string> revoked;          // keys, as in IdentityRecord
};

class Identities {
 public:
  virtual ~Identities() = default;

  virtual absl::StatusOr<int64_t> FleetRevision() = 0;  // moves with every change of Fleet()
  virtual absl::StatusOr<FleetRecord> Fleet() = 0;

  // ABORTED: there are not `expected` authorities. FAILED_PRECONDITION: there would be more than kMaxAuthorities.
  virtual absl::Status AddAuthority(const AuthorityRecord& authority, size_t expected, const AuditRecord& audit) = 0;
  // The oldest; its id. FAILED_PRECONDITION: it is the only one, or, unless `force`, nodes hold certificates of it.
  virtual absl::StatusOr<std::string> RetireAuthority(bool force, const AuditRecord& audit) = 0;

  // `hash`: SHA-256 of its text, 32 bytes. RESOURCE_EXHAUSTED past kMaxJoinTokens.
  virtual absl::Status PutJoinToken(const JoinTokenRecord& token, const std::string& hash,
                                    const AuditRecord& audit) = 0;
  virtual absl::StatusOr<std::vector<JoinTokenRecord>> JoinTokens() = 0;  // newest first; expired ones for a day
  virtual absl::Status DeleteJoinToken(const std::string& id, const AuditRecord& audit) = 0;  // NOT_FOUND

  // Makes the node one of the fleet, in the token's scope, which it returns: `identity.scope` is not looked at. Again
  // for the same name and key. PERMISSION_DENIED: the token is unknown, expired or used, or the key was revoked.
  // ALREADY_EXISTS: the name is another living node's, or of another scope. FAILED_PRECONDITION: the gateway is gone.
  virtual absl::StatusOr<Scope> Redeem(const std::string& hash, const IdentityRecord& identity,
                                       const AuditRecord& audit) = 0;
  // PERMISSION_DENIED: the name is not this key's any more.
  virtual absl::Status Renew(const IdentityRecord& identity) = 0;
  virtual absl::StatusOr<std::vector<IdentityRecord>> ListIdentities() = 0;  // by name
  // The key is refused from now on, and the name is free. NOT_FOUND: no node with that name joined.
  virtual absl::Status RevokeNode(const std::string& name, const AuditRecord& audit) = 0;
};

}  // namespace sluice::store
