#include "control-plane/fleet/server_files.h"

#include "absl/strings/str_join.h"
#include "control-plane/fleet/files.h"

namespace sluice::fleet {
namespace {

constexpr int kPrivate = 0600;
constexpr int kPublic = 0644;

}  // namespace

std::string PkiFolder(const std::string& state) { return state + "/pki"; }

absl::Status IssueEdge(const Trust& trust, const std::vector<std::string>& names, const std::string& folder) {
  const x509::Key key = x509::MakeKey();
  auto issued = trust.newest()->IssueServer(CertificateKind::kEdge, names, key);
  if (!issued.ok()) return issued.status();
  absl::Status status = MakeFolder(folder);
  if (status.ok()) status = ReplaceFile(folder + "/key.pem", x509::ToPem(key), kPrivate);
  if (status.ok()) status = ReplaceFile(folder + "/cert.pem", *issued, kPublic);
  if (status.ok()) status = ReplaceFile(folder + "/ca.pem", absl::StrJoin(trust.certificates(), ""), kPublic);
  return status;
}

ServerFiles::ServerFiles(std::string state, const std::string& address, std::vector<std::string> names,
                         const Clock& clock)
    : state_(std::move(state)),
      folder_(PkiFolder(state_) + "/sync-" + address.substr(address.rfind(':') + 1)),
      names_(std::move(names)),
      clock_(clock) {}

absl::Status ServerFiles::Update(const Trust& trust) {
  const std::lock_guard lock(mutex_);
  const std::vector<std::string> authorities = trust.certificates();
  const WallTime now = clock_.WallNow();
  if (authorities == written_ && now < renew_at_) return absl::OkStatus();
  const auto signer = trust.oldest();
  auto issued = signer->IssueServer(CertificateKind::kServer, names_, key_);
  if (!issued.ok()) return issued.status();
  const std::string bundle = absl::StrJoin(authorities, "");
  absl::Status status = MakeFolder(folder_);
  if (status.ok() && written_.empty()) status = ReplaceFile(key(), x509::ToPem(key_), kPrivate);
  // With its authority, so that a node which knows only that one's fingerprint finds it.
  if (status.ok()) status = ReplaceFile(certificate(), *issued + signer->certificate(), kPublic);
  if (status.ok()) status = ReplaceFile(this->authorities(), bundle, kPublic);
  if (status.ok()) status = ReplaceFile(state_ + "/ca.pem", bundle, kPublic);
  if (!status.ok()) return status;
  written_ = authorities;
  renew_at_ = now + kServerLife * 2 / 3;
  return absl::OkStatus();
}

}  // namespace sluice::fleet
