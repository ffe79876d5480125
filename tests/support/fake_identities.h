#pragma once

// Who belongs to the fleet, in memory: store::Identities with its documented errors. Callable from every thread.

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "control-plane/store/store.h"

namespace sluice::test {

class FakeIdentities final : public store::Identities {
 public:
  explicit FakeIdentities(const bool& down) : down_(down) {}  // while true: every call is UNAVAILABLE

  absl::StatusOr<int64_t> FleetRevision() override;
  absl::StatusOr<store::FleetRecord> Fleet() override;
  absl::Status AddAuthority(const store::AuthorityRecord& authority, size_t expected,
                            const store::AuditRecord& audit) override;
  absl::StatusOr<std::string> RetireAuthority(bool force, const store::AuditRecord& audit) override;
  absl::Status PutJoinToken(const store::JoinTokenRecord& token, const std::string& hash,
                            const store::AuditRecord& audit) override;
  absl::StatusOr<std::vector<store::JoinTokenRecord>> JoinTokens() override;
  absl::Status DeleteJoinToken(const std::string& id, const store::AuditRecord& audit) override;
  absl::StatusOr<store::Scope> Redeem(const std::string& hash, const store::IdentityRecord& identity,
                                      const store::AuditRecord& audit) override;
  absl::Status Renew(const store::IdentityRecord& identity) override;
  absl::StatusOr<std::vector<store::IdentityRecord>> ListIdentities() override;
  absl::Status RevokeNode(const std::string& name, const store::AuditRecord& audit) override;

  void Revoke(const std::string& key);  // of a node that never joined here

 private:
  absl::Status Check() const;

  const bool& down_;
  std::mutex mutex_;
  store::FleetRecord fleet_{1, {}, {}};
  std::map<std::string, store::JoinTokenRecord> tokens_;  // by hash
  std::map<std::string, std::string> used_by_;            // key, by hash
  std::map<std::string, store::IdentityRecord> nodes_;    // by name
};

}  // namespace sluice::test
