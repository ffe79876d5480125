#pragma once

// Requests for certificates (PKCS #10, DER). Stateless.

#include <string>

#include "absl/status/statusor.h"
#include "common/x509/certificate.h"

namespace sluice::x509 {

inline constexpr size_t kMaxRequestBytes = 4096;

// Signed with the key. It names nobody: who asks is said beside it.
std::string MakeRequest(const Key& key);
// The public key of a request that was signed with it. INVALID_ARGUMENT: it is none, is too long, or of another kind of
// key than ECDSA P-256.
absl::StatusOr<Key> KeyOfRequest(const std::string& der);

}  // namespace sluice::x509
