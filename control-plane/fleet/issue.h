#pragma once

// Certificates as files: what `sluice-control-plane issue` does, and the control plane for its own port. Stateless.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "control-plane/fleet/authority.h"

namespace sluice::fleet {

// Where the authority of a state folder lives.
std::string PkiFolder(const std::string& state);

// Writes cert.pem, key.pem (0600) and ca.pem of a new certificate into the folder, making it where it is missing.
absl::Status IssueInto(const Authority& authority, CertificateKind kind, const std::vector<std::string>& names,
                       const std::string& folder);

}  // namespace sluice::fleet
