#pragma once

// Identities on PostgreSQL. Made by the store, whose pool and keys it uses; see identities.h for what each call means.

#include <string>
#include <vector>

#include "control-plane/store/identities.h"
#include "control-plane/store/pool.h"
#include "control-plane/store/seal.h"

namespace sluice::store {

class PostgresIdentities final : public Identities {
 public:
  PostgresIdentities(Pool& pool, const KeyRing& keys) : pool_(pool), keys_(keys) {}

  // authorities.cc
  absl::StatusOr<int64_t> FleetRevision() override;
  absl::StatusOr<FleetRecord> Fleet() override;
  absl::Status AddAuthority(const AuthorityRecord& authority, size_t expected, const AuditRecord& audit) override;
  absl::StatusOr<std::string> RetireAuthority(bool force, const AuditRecord& audit) override;

  // identities.cc
  absl::Status PutJoinToken(const JoinTokenRecord& token, const std::string& hash, const AuditRecord& audit) override;
  absl::StatusOr<std::vector<JoinTokenRecord>> JoinTokens() override;
  absl::Status DeleteJoinToken(const std::string& id, const AuditRecord& audit) override;
  absl::StatusOr<Scope> Redeem(const std::string& hash, const IdentityRecord& identity,
                               const AuditRecord& audit) override;
  absl::Status Renew(const IdentityRecord& identity) override;
  absl::StatusOr<std::vector<IdentityRecord>> ListIdentities() override;
  absl::Status RevokeNode(const std::string& name, const AuditRecord& audit) override;

 private:
  Pool& pool_;
  const KeyRing& keys_;
};

// Part of the caller's transaction.
absl::Status InsertAudit(Connection& connection, const AuditRecord& record);
// Part of the caller's transaction: the node's key, where it has one, is refused once this is committed and the fleet's
// clock has ticked. How many keys.
absl::StatusOr<int> RevokeKeyOf(Connection& connection, const std::string& node);
// Part of the caller's transaction: replicas read the fleet anew.
absl::Status TickFleet(Connection& connection);

// Runs `change` in a transaction with the audit record, and rings when it is committed.
template <typename Change>
absl::Status ChangeFleet(Pool& pool, const AuditRecord& audit, const Change& change) {
  auto connection = pool.Borrow();
  if (!connection.ok()) return connection.status();
  Transaction transaction(**connection);
  absl::Status status = transaction.Begin();
  if (status.ok()) status = change(**connection);
  if (status.ok()) status = InsertAudit(**connection, audit);
  if (status.ok()) status = transaction.Commit();
  if (status.ok()) (*connection)->Execute("notify sluice_config").IgnoreError();  // else seen within a second
  return status;
}

}  // namespace sluice::store
