#pragma once

// Who a node is, on its disk: STATE/identity/node.pem, its key and certificate, replaced whole; ca.pem, whom it trusts;
// joining.pem, the key of a join that was not answered yet; token, the SHA-256 of the token that was used. All of them
// of their owner's alone. Stateless.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/server.h"
#include "common/x509/certificate.h"

namespace sluice::sync {

struct Identity {
  x509::Key key;
  x509::Certificate certificate;
};

// `folder` is STATE/identity in all of these.
rpc::TlsFiles IdentityFiles(const std::string& folder);
// nullopt: it has none yet. Errors name the file that cannot be read.
absl::StatusOr<std::optional<Identity>> ReadIdentity(const std::string& folder);
// `certificate` in PEM, `authorities` too, one each. INVALID_ARGUMENT: the certificate is not the key's.
absl::StatusOr<Identity> WriteIdentity(const std::string& folder, const x509::Key& key, const std::string& certificate,
                                       const std::vector<std::string>& authorities);
absl::Status WriteAuthorities(const std::string& folder, const std::vector<std::string>& authorities);
// The key to join with: the same until ForgetJoining, so that a join whose answer was lost is asked for again.
absl::StatusOr<x509::Key> JoiningKey(const std::string& folder);
// The join was answered.
absl::Status ForgetJoining(const std::string& folder, const std::string& token);

// The join token in that file, without white space around it.
absl::StatusOr<std::string> ReadToken(const std::string& path);
// Whether the node joined with it.
bool WasUsed(const std::string& folder, const std::string& token);

}  // namespace sluice::sync
