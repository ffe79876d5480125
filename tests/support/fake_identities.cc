#include "tests/support/fake_identities.h"

#include <algorithm>

namespace sluice::test {

absl::Status FakeIdentities::Check() const {
  return down_ ? absl::UnavailableError("the database cannot be reached") : absl::OkStatus();
}

absl::StatusOr<int64_t> FakeIdentities::FleetRevision() {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  return fleet_.revision;
}

absl::StatusOr<store::FleetRecord> FakeIdentities::Fleet() {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  return fleet_;
}

absl::Status FakeIdentities::AddAuthority(const store::AuthorityRecord& authority, size_t expected,
                                          const store::AuditRecord&) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  if (fleet_.authorities.size() != expected) return absl::AbortedError("changed meanwhile");
  if (expected >= store::kMaxAuthorities) return absl::FailedPreconditionError("two are trusted already");
  fleet_.authorities.push_back(authority);
  ++fleet_.revision;
  return absl::OkStatus();
}

absl::StatusOr<std::string> FakeIdentities::RetireAuthority(bool force, const store::AuditRecord&) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  if (fleet_.authorities.size() < 2) return absl::FailedPreconditionError("it is the only one");
  const std::string oldest = fleet_.authorities.front().id;
  for (const auto& [name, node] : nodes_) {
    if (node.authority == oldest && !force) return absl::FailedPreconditionError(name + " has a certificate of it");
  }
  fleet_.authorities.erase(fleet_.authorities.begin());
  ++fleet_.revision;
  return oldest;
}

absl::Status FakeIdentities::PutJoinToken(const store::JoinTokenRecord& token, const std::string& hash,
                                          const store::AuditRecord&) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  tokens_[hash] = token;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<store::JoinTokenRecord>> FakeIdentities::JoinTokens() {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  std::vector<store::JoinTokenRecord> found;
  for (const auto& [hash, token] : tokens_) found.push_back(token);
  return found;
}

absl::Status FakeIdentities::DeleteJoinToken(const std::string& id, const store::AuditRecord&) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  const auto gone = std::erase_if(tokens_, [&](const auto& entry) { return entry.second.id == id; });
  return gone > 0 ? absl::OkStatus() : absl::NotFoundError("no such token");
}

absl::StatusOr<store::Scope> FakeIdentities::Redeem(const std::string& hash, const store::IdentityRecord& identity,
                                                    const store::AuditRecord&) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  const auto token = tokens_.find(hash);
  if (token == tokens_.end()) return absl::PermissionDeniedError("no such token");
  std::string& user = used_by_[hash];
  if (!user.empty() && user != identity.key) return absl::PermissionDeniedError("used already");
  const auto known = nodes_.find(identity.name);
  if (known != nodes_.end() && known->second.key != identity.key) return absl::AlreadyExistsError("the name is taken");
  user = identity.key;
  token->second.node = identity.name;
  nodes_[identity.name] = identity;
  nodes_[identity.name].scope = token->second.scope;
  return token->second.scope;
}

absl::Status FakeIdentities::Renew(const store::IdentityRecord& identity) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  const auto known = nodes_.find(identity.name);
  if (known == nodes_.end() || known->second.key != identity.key) return absl::PermissionDeniedError("not this key's");
  known->second = identity;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<store::IdentityRecord>> FakeIdentities::ListIdentities() {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  std::vector<store::IdentityRecord> found;
  for (const auto& [name, node] : nodes_) found.push_back(node);
  return found;
}

absl::Status FakeIdentities::RevokeNode(const std::string& name, const store::AuditRecord&) {
  const std::lock_guard lock(mutex_);
  if (absl::Status up = Check(); !up.ok()) return up;
  const auto known = nodes_.find(name);
  if (known == nodes_.end()) return absl::NotFoundError("no such node");
  fleet_.revoked.push_back(known->second.key);
  ++fleet_.revision;
  nodes_.erase(known);
  return absl::OkStatus();
}

void FakeIdentities::Revoke(const std::string& key) {
  const std::lock_guard lock(mutex_);
  fleet_.revoked.push_back(key);
  ++fleet_.revision;
}

}  // namespace sluice::test
