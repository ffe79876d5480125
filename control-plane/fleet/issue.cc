#include "control-plane/fleet/issue.h"

#include "control-plane/fleet/files.h"

namespace sluice::fleet {

std::string PkiFolder(const std::string& state) { return state + "/pki"; }

absl::Status IssueInto(const Authority& authority, CertificateKind kind, const std::vector<std::string>& names,
                       const std::string& folder) {
  auto issued = authority.Issue(kind, names);
  if (!issued.ok()) return issued.status();
  absl::Status status = MakeFolder(folder);
  if (status.ok()) status = ReplaceFile(folder + "/key.pem", issued->key, 0600);
  if (status.ok()) status = ReplaceFile(folder + "/cert.pem", issued->certificate, 0644);
  if (status.ok()) status = ReplaceFile(folder + "/ca.pem", authority.certificate(), 0644);
  return status;
}

}  // namespace sluice::fleet
