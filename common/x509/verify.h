#pragma once

// Whether a certificate is good for what it is shown for. Stateless.

#include <string>

#include "absl/status/status.h"
#include "common/x509/certificate.h"

namespace sluice::x509 {

enum class Purpose { kClient, kServer };

// Signed by `authority` itself, within its time, and made for the purpose. `name`: a DNS name or an address that a
// server's must have; "": any. UNAUTHENTICATED says why not.
absl::Status Verify(const Certificate& certificate, const Certificate& authority, Purpose purpose, WallTime now,
                    const std::string& name = "");

// The certificate among those shown whose fingerprint is `pin`, where the first of them is a server's of that name,
// signed by it. UNAUTHENTICATED says why not.
absl::StatusOr<Certificate> FindPinned(const std::string& chain_pem, const std::string& pin, const std::string& name,
                                       WallTime now);

}  // namespace sluice::x509
