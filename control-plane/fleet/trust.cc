#include "control-plane/fleet/trust.h"

#include <unistd.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "common/observe/log.h"
#include "common/x509/verify.h"
#include "control-plane/fleet/files.h"

namespace sluice::fleet {
namespace {

// What older releases kept on the disk; nullopt: nothing.
absl::StatusOr<std::optional<Authority>> ReadFolder(const std::string& folder, const Clock& clock) {
  auto key = ReadSmallFile(folder + "/ca.key");
  auto certificate = ReadSmallFile(folder + "/ca.pem");
  if (absl::IsNotFound(key.status()) || absl::IsNotFound(certificate.status())) return std::nullopt;
  if (!key.ok()) return key.status();
  if (!certificate.ok()) return certificate.status();
  auto authority = Authority::FromPem(*certificate, *key, clock);
  if (authority.ok()) return std::optional<Authority>(*std::move(authority));
  return absl::FailedPreconditionError(folder + "/ca.key and ca.pem cannot be taken over: " +
                                       std::string(authority.status().message()));
}

// Certificates of releases before scopes have no URI, and were the cell's.
std::optional<store::Scope> ScopeOf(const x509::Certificate& certificate) {
  const std::vector<std::string> uris = x509::Uris(certificate);
  if (uris.empty()) return store::Scope::OfCell(store::kDefaultCell);
  if (uris.size() != 1 || !uris[0].starts_with(kNodeUri)) return std::nullopt;
  return store::Scope::Parse(uris[0].substr(sizeof kNodeUri - 1));
}

store::AuthorityRecord RecordOf(const Authority& authority) {
  return {authority.id(), authority.certificate(), authority.key(), {}, 0};
}

}  // namespace

absl::Status Trust::Open(const std::string& folder) {
  const std::lock_guard refreshing(refresh_mutex_);
  absl::Status status = Read();
  if (!status.ok() || !state()->authorities.empty()) return status;
  status = AddFirst(folder);
  if (!status.ok() && !absl::IsAborted(status)) return status;  // ABORTED: another replica was faster
  status = Read();
  if (!status.ok() || !state()->authorities.empty()) return status;
  return absl::DataLossError("the database has no authority");
}

absl::Status Trust::AddFirst(const std::string& folder) {
  auto found = ReadFolder(folder, clock_);
  if (!found.ok()) return found.status();
  const Authority authority = found->has_value() ? **found : Authority::Make(clock_);
  const store::AuditRecord audit{"system", "RotateAuthority", "", "", "", "{}", "OK"};
  absl::Status status = identities_.AddAuthority(RecordOf(authority), 0, audit);
  if (!status.ok() || !found->has_value()) return status;
  log::Info("the fleet's authority moved from the disk into the database", {{"folder", folder}});
  unlink((folder + "/ca.key").c_str());
  return absl::OkStatus();
}

absl::Status Trust::Refresh() {
  {
    const std::lock_guard refreshing(refresh_mutex_);
    auto revision = identities_.FleetRevision();
    if (!revision.ok()) return revision.status();
    if (*revision == state()->revision) return absl::OkStatus();
    if (absl::Status status = Read(); !status.ok()) return status;
  }
  changed_();
  return absl::OkStatus();
}

absl::Status Trust::Read() {
  auto record = identities_.Fleet();
  if (!record.ok()) return record.status();
  auto next = std::make_shared<State>();
  next->revision = record->revision;
  for (const store::AuthorityRecord& authority : record->authorities) {
    auto read = Authority::FromPem(authority.certificate, authority.key, clock_);
    if (!read.ok()) return absl::DataLossError("a stored authority cannot be read");
    next->authorities.push_back(std::make_shared<const Authority>(*std::move(read)));
  }
  next->revoked.insert(record->revoked.begin(), record->revoked.end());
  const std::lock_guard lock(mutex_);
  state_ = std::move(next);
  return absl::OkStatus();
}

absl::StatusOr<std::string> Trust::Rotate(const store::AuditRecord& audit) {
  if (absl::Status status = Refresh(); !status.ok()) return status;
  const Authority next = Authority::Make(clock_);
  absl::Status status = identities_.AddAuthority(RecordOf(next), state()->authorities.size(), audit);
  if (status.ok()) status = Refresh();
  if (!status.ok()) return status;
  return next.id();
}

absl::StatusOr<std::string> Trust::Retire(bool force, const store::AuditRecord& audit) {
  auto retired = identities_.RetireAuthority(force, audit);
  if (retired.ok()) Refresh().IgnoreError();  // else with the next one
  return retired;
}

absl::StatusOr<Peer> Trust::Identify(const std::string& certificate) const {
  if (certificate.empty()) return absl::UnauthenticatedError("nodes show a certificate, and this one showed none");
  auto read = x509::CertificateFromPem(certificate);
  if (!read.ok()) return absl::UnauthenticatedError("the certificate cannot be read");
  absl::Status why = absl::UnauthenticatedError("there is no authority");
  for (const auto& authority : state()->authorities) {
    why = x509::Verify(*read, authority->parsed(), x509::Purpose::kClient, clock_.WallNow());
    if (!why.ok()) continue;
    const std::optional<store::Scope> scope = ScopeOf(*read);
    Peer peer{x509::CommonName(*read), scope.value_or(store::Scope::OfCell(store::kDefaultCell)),
              x509::KeyHash(x509::PublicKey(*read)), authority->id(), x509::NotAfter(*read)};
    if (!scope || !IsNodeName(peer.name)) return absl::UnauthenticatedError("the certificate is not a node's");
    absl::Status good = Check(peer);
    if (!good.ok()) return good;
    return peer;
  }
  return why;
}

absl::Status Trust::Check(const Peer& peer) const {
  const std::shared_ptr<const State> now = state();
  if (now->revoked.contains(peer.key)) {
    return absl::PermissionDeniedError(absl::StrCat("the certificate of node \"", peer.name, "\" was revoked"));
  }
  if (clock_.WallNow() >= peer.expires) {
    return absl::UnauthenticatedError(absl::StrCat("the certificate of node \"", peer.name, "\" has expired"));
  }
  for (const auto& authority : now->authorities) {
    if (authority->id() == peer.authority) return absl::OkStatus();
  }
  return absl::UnauthenticatedError(
      absl::StrCat("the authority that signed the certificate of node \"", peer.name, "\" was retired"));
}

std::shared_ptr<const Trust::State> Trust::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::shared_ptr<const Authority> Trust::newest() const { return state()->authorities.back(); }
std::shared_ptr<const Authority> Trust::oldest() const { return state()->authorities.front(); }
int64_t Trust::revision() const { return state()->revision; }

std::vector<std::string> Trust::certificates() const {
  std::vector<std::string> all;
  for (const auto& authority : state()->authorities) all.push_back(authority->certificate());
  return all;
}

}  // namespace sluice::fleet
