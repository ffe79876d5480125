// Who signs, and whose keys are refused.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control-plane/store/postgres_store.h"

namespace sluice::store {
namespace {

constexpr Statement kRevision = {"fleet_revision", "select revision from fleet_clock"};
constexpr Statement kTick = {"tick_fleet", "update fleet_clock set revision = revision + 1"};
constexpr Statement kList = {
    "list_authorities",
    "select id, certificate, key, created_at,"
    " (select count(*) from node_identities n where n.authority = a.id and n.expires_at > now())"
    " from authorities a order by number"};
constexpr Statement kRevoked = {"list_revoked_keys", "select key from revoked_keys where expires_at > now()"};
constexpr Statement kIds = {"authority_ids", "select id from authorities order by number"};
constexpr Statement kAdd = {"add_authority", "insert into authorities (id, certificate, key) values ($1, $2, $3)"};
constexpr Statement kDelete = {"delete_authority", "delete from authorities where id = $1"};
constexpr Statement kHolders = {
    "authority_holders",
    "select name from node_identities where authority = $1 and expires_at > now() order by name limit $2::bigint"};

constexpr char kLock[] = "lock table authorities in share row exclusive mode";

Place KeyPlace(std::string_view id) {
  return {"", "authority", id, "key"};
}

absl::StatusOr<std::vector<std::string>> LockAndList(Connection& connection) {
  absl::Status status = connection.Execute(kLock);
  if (!status.ok()) return status;
  auto rows = connection.Run(kIds);
  if (!rows.ok()) return rows.status();
  std::vector<std::string> ids;
  for (int row = 0; row < rows->rows(); ++row) ids.push_back(rows->Text(row, 0));
  return ids;
}

// That none of them would be left outside.
absl::Status CheckNoHolders(Connection& connection, const std::string& id) {
  auto rows = connection.Run(kHolders, Parameters().Text(id).Int(kMaxNodesNamed));
  if (!rows.ok()) return rows.status();
  if (rows->rows() == 0) return absl::OkStatus();
  std::vector<std::string> names;
  for (int row = 0; row < rows->rows(); ++row) names.push_back(rows->Text(row, 0));
  return absl::FailedPreconditionError(
      absl::StrCat("nodes hold certificates of the old authority: ", absl::StrJoin(names, ", "),
                   names.size() == kMaxNodesNamed ? " and perhaps more" : "",
                   "; connected ones renew them within a minute. With --force they must join again"));
}

}  // namespace

absl::Status TickFleet(Connection& connection) { return connection.Run(kTick).status(); }

absl::StatusOr<int64_t> PostgresIdentities::FleetRevision() {
  auto connection = pool_.Borrow();
  if (!connection.ok()) return connection.status();
  auto rows = (*connection)->Run(kRevision);
  if (!rows.ok()) return rows.status();
  if (rows->rows() != 1) return absl::DataLossError("the database has no fleet clock");
  return rows->Int(0, 0);
}

absl::StatusOr<FleetRecord> PostgresIdentities::Fleet() {
  FleetRecord fleet;
  auto revision = FleetRevision();  // first: what changes meanwhile is read again
  if (!revision.ok()) return revision.status();
  fleet.revision = *revision;
  auto connection = pool_.Borrow();
  if (!connection.ok()) return connection.status();
  auto rows = (*connection)->Run(kList);
  if (!rows.ok()) return rows.status();
  for (int row = 0; row < rows->rows(); ++row) {
    AuthorityRecord authority{rows->Text(row, 0), rows->Text(row, 1), "", rows->Time(row, 3), rows->Int(row, 4)};
    auto key = keys_.Open(rows->Text(row, 2), KeyPlace(authority.id));
    if (!key.ok()) return key.status();
    authority.key = *std::move(key);
    fleet.authorities.push_back(std::move(authority));
  }
  auto revoked = (*connection)->Run(kRevoked);
  if (!revoked.ok()) return revoked.status();
  for (int row = 0; row < revoked->rows(); ++row) fleet.revoked.push_back(revoked->Text(row, 0));
  return fleet;
}

absl::Status PostgresIdentities::AddAuthority(const AuthorityRecord& authority, size_t expected,
                                              const AuditRecord& audit) {
  return ChangeFleet(pool_, audit, [&](Connection& connection) -> absl::Status {
    auto ids = LockAndList(connection);
    if (!ids.ok()) return ids.status();
    if (ids->size() != expected) return absl::AbortedError("another authority was made meanwhile");
    if (ids->size() >= kMaxAuthorities) {
      return absl::FailedPreconditionError("two authorities are trusted already: retire the old one first");
    }
    Parameters parameters;
    parameters.Text(authority.id).Text(authority.certificate);
    parameters.Bytes(keys_.Seal(authority.key, KeyPlace(authority.id)));
    absl::Status status = connection.Run(kAdd, parameters).status();
    return status.ok() ? TickFleet(connection) : status;
  });
}

absl::StatusOr<std::string> PostgresIdentities::RetireAuthority(bool force, const AuditRecord& audit) {
  std::string oldest;
  absl::Status status = ChangeFleet(pool_, audit, [&](Connection& connection) -> absl::Status {
    auto ids = LockAndList(connection);
    if (!ids.ok()) return ids.status();
    if (ids->size() < 2) {
      return absl::FailedPreconditionError("one authority is trusted, and needed: make another one first (rotate)");
    }
    oldest = ids->front();
    absl::Status done = force ? absl::OkStatus() : CheckNoHolders(connection, oldest);
    if (done.ok()) done = connection.Run(kDelete, Parameters().Text(oldest)).status();
    return done.ok() ? TickFleet(connection) : done;
  });
  if (!status.ok()) return status;
  return oldest;
}

}  // namespace sluice::store
