// Join tokens, and the nodes that used them.

#include "absl/strings/str_cat.h"
#include "control-plane/store/postgres_store.h"

namespace sluice::store {
namespace {

constexpr Statement kForgetTokens = {"forget_join_tokens",
                                     "delete from join_tokens where expires_at < now() - interval '1 day'"};
constexpr Statement kForgetNodes = {"forget_identities",
                                    "delete from node_identities where expires_at < now() - interval '35 days'"};
constexpr Statement kForgetKeys = {"forget_revoked_keys", "delete from revoked_keys where expires_at < now()"};
constexpr Statement kPutToken = {
    "put_join_token",
    "insert into join_tokens (id, hash, scope, author, created_at, expires_at) select $1, $2, $3, $4, $5, $6"
    " where (select count(*) from join_tokens where key is null and expires_at > now()) < $7::bigint"
    " returning 1::bigint"};
constexpr Statement kListTokens = {
    "list_join_tokens",
    "select id, scope, author, created_at, expires_at, coalesce(node, '') from join_tokens"
    " order by created_at desc, id limit 2000"};
constexpr Statement kDeleteToken = {"delete_join_token", "delete from join_tokens where id = $1 returning 1::bigint"};
constexpr Statement kLockToken = {
    "lock_join_token",
    "select scope, expires_at > now(), coalesce(key, ''), coalesce(node, '') from join_tokens where hash = $1"
    " for update"};
constexpr Statement kUseToken = {"use_join_token", "update join_tokens set key = $2, node = $3 where hash = $1"};
constexpr Statement kHasGateway = {"has_gateway_of_owner",
                                   "select 1::bigint from gateways where id = $1 and kind = 2"};
constexpr Statement kIsRevoked = {"is_revoked", "select 1::bigint from revoked_keys where key = $1"};
constexpr Statement kPutIdentity = {
    "put_identity",
    "insert into node_identities as n (name, scope, key, authority, expires_at) values ($1, $2, $3, $4, $5)"
    " on conflict (name) do update"
    " set key = excluded.key, authority = excluded.authority, expires_at = excluded.expires_at"
    " where n.scope = excluded.scope and (n.key = excluded.key or n.expires_at < now()) returning 1::bigint"};
constexpr Statement kRenew = {
    "renew_identity",
    "update node_identities set authority = $3, expires_at = $4 where name = $1 and key = $2 returning 1::bigint"};
constexpr Statement kList = {"list_identities",
                             "select name, scope, key, authority, expires_at from node_identities order by name"};
constexpr Statement kTakeIdentity = {"take_identity",
                                     "delete from node_identities where name = $1 returning key, expires_at"};
constexpr Statement kRevokeKey = {
    "revoke_key",
    "insert into revoked_keys (key, node, expires_at) values ($1, $2, $3)"
    " on conflict (key) do update set expires_at = greatest(revoked_keys.expires_at, excluded.expires_at)"};

// The scope of a token that may be used by this node.
absl::StatusOr<Scope> LockToken(Connection& connection, const std::string& hash, const IdentityRecord& identity) {
  auto rows = connection.Run(kLockToken, Parameters().Bytes(hash));
  if (!rows.ok()) return rows.status();
  if (rows->rows() == 0) return absl::PermissionDeniedError("the join token is not known here");
  if (!rows->Bool(0, 1)) return absl::PermissionDeniedError("the join token has expired");
  const std::string key = rows->Text(0, 2);
  if (!key.empty() && (key != identity.key || rows->Text(0, 3) != identity.name)) {
    return absl::PermissionDeniedError("the join token was used already");
  }
  const std::optional<Scope> scope = Scope::Parse(rows->Text(0, 0));
  if (!scope) return absl::DataLossError("a stored scope cannot be read");
  return *scope;
}

absl::Status CheckJoin(Connection& connection, const Scope& scope, const IdentityRecord& identity) {
  auto revoked = connection.Run(kIsRevoked, Parameters().Bytes(identity.key));
  if (!revoked.ok()) return revoked.status();
  if (revoked->rows() > 0) return absl::PermissionDeniedError("the node's key was revoked");
  if (scope.is_cell()) return absl::OkStatus();
  auto gateway = connection.Run(kHasGateway, Parameters().Text(scope.name()));
  if (!gateway.ok()) return gateway.status();
  if (gateway->rows() > 0) return absl::OkStatus();
  return absl::FailedPreconditionError("the gateway that the join token was made for is gone");
}

absl::Status PutIdentity(Connection& connection, const Scope& scope, const IdentityRecord& identity) {
  Parameters parameters;
  parameters.Text(identity.name).Text(scope.text()).Bytes(identity.key).Text(identity.authority).Time(identity.expires);
  auto put = connection.Run(kPutIdentity, parameters);
  if (!put.ok()) return put.status();
  if (put->rows() == 1) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(
      "another node is called \"", identity.name,
      "\": choose another name, or take its certificate away first (sluice node revoke ", identity.name, ")"));
}

}  // namespace

absl::StatusOr<int> RevokeKeyOf(Connection& connection, const std::string& node) {
  auto taken = connection.Run(kTakeIdentity, Parameters().Text(node));
  if (!taken.ok()) return taken.status();
  for (int row = 0; row < taken->rows(); ++row) {
    Parameters parameters;
    parameters.Bytes(taken->Text(row, 0)).Text(node).Time(taken->Time(row, 1));
    absl::Status status = connection.Run(kRevokeKey, parameters).status();
    if (status.ok()) status = TickFleet(connection);
    if (!status.ok()) return status;
  }
  return taken->rows();
}

absl::Status PostgresIdentities::PutJoinToken(const JoinTokenRecord& token, const std::string& hash,
                                              const AuditRecord& audit) {
  return ChangeFleet(pool_, audit, [&](Connection& connection) -> absl::Status {
    for (const Statement& forget : {kForgetTokens, kForgetNodes, kForgetKeys}) {
      absl::Status status = connection.Run(forget).status();
      if (!status.ok()) return status;
    }
    Parameters parameters;
    parameters.Text(token.id).Bytes(hash).Text(token.scope.text()).Text(token.author);
    parameters.Time(token.created).Time(token.expires).Int(kMaxJoinTokens);
    auto put = connection.Run(kPutToken, parameters);
    if (!put.ok()) return put.status();
    if (put->rows() == 1) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        absl::StrCat(kMaxJoinTokens, " join tokens wait to be used: revoke some, or let them expire"));
  });
}

absl::StatusOr<std::vector<JoinTokenRecord>> PostgresIdentities::JoinTokens() {
  auto connection = pool_.Borrow();
  if (!connection.ok()) return connection.status();
  auto rows = (*connection)->Run(kListTokens);
  if (!rows.ok()) return rows.status();
  std::vector<JoinTokenRecord> tokens;
  for (int row = 0; row < rows->rows(); ++row) {
    const std::optional<Scope> scope = Scope::Parse(rows->Text(row, 1));
    if (!scope) return absl::DataLossError("a stored scope cannot be read");
    tokens.push_back({rows->Text(row, 0), *scope, rows->Text(row, 2), rows->Time(row, 3), rows->Time(row, 4),
                      rows->Text(row, 5)});
  }
  return tokens;
}

absl::Status PostgresIdentities::DeleteJoinToken(const std::string& id, const AuditRecord& audit) {
  return ChangeFleet(pool_, audit, [&](Connection& connection) -> absl::Status {
    auto gone = connection.Run(kDeleteToken, Parameters().Text(id));
    if (!gone.ok()) return gone.status();
    return gone->rows() == 1 ? absl::OkStatus() : absl::NotFoundError("there is no such join token");
  });
}

absl::StatusOr<Scope> PostgresIdentities::Redeem(const std::string& hash, const IdentityRecord& identity,
                                                 const AuditRecord& audit) {
  Scope joined = identity.scope;
  absl::Status status = ChangeFleet(pool_, audit, [&](Connection& connection) -> absl::Status {
    auto scope = LockToken(connection, hash, identity);
    if (!scope.ok()) return scope.status();
    joined = *scope;
    absl::Status done = CheckJoin(connection, joined, identity);
    if (done.ok()) done = PutIdentity(connection, joined, identity);
    if (!done.ok()) return done;
    return connection.Run(kUseToken, Parameters().Bytes(hash).Bytes(identity.key).Text(identity.name)).status();
  });
  if (!status.ok()) return status;
  return joined;
}

absl::Status PostgresIdentities::Renew(const IdentityRecord& identity) {
  auto connection = pool_.Borrow();
  if (!connection.ok()) return connection.status();
  Parameters parameters;
  parameters.Text(identity.name).Bytes(identity.key).Text(identity.authority).Time(identity.expires);
  auto renewed = (*connection)->Run(kRenew, parameters);
  if (!renewed.ok()) return renewed.status();
  if (renewed->rows() == 1) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("node \"", identity.name, "\" was removed or revoked, or joined anew with another key"));
}

absl::StatusOr<std::vector<IdentityRecord>> PostgresIdentities::ListIdentities() {
  auto connection = pool_.Borrow();
  if (!connection.ok()) return connection.status();
  auto rows = (*connection)->Run(kList);
  if (!rows.ok()) return rows.status();
  std::vector<IdentityRecord> identities;
  for (int row = 0; row < rows->rows(); ++row) {
    const std::optional<Scope> scope = Scope::Parse(rows->Text(row, 1));
    if (!scope) return absl::DataLossError("a stored scope cannot be read");
    identities.push_back({rows->Text(row, 0), *scope, rows->Text(row, 2), rows->Text(row, 3), rows->Time(row, 4)});
  }
  return identities;
}

absl::Status PostgresIdentities::RevokeNode(const std::string& name, const AuditRecord& audit) {
  return ChangeFleet(pool_, audit, [&](Connection& connection) -> absl::Status {
    auto revoked = RevokeKeyOf(connection, name);
    if (!revoked.ok()) return revoked.status();
    return *revoked > 0 ? absl::OkStatus() : absl::NotFoundError("no node of that name has joined");
  });
}

}  // namespace sluice::store
