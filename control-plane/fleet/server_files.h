#pragma once

// Servers' certificates as files: what `sluice-control-plane issue` writes, and the control plane for its own port.
// Callable from every thread.

#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "control-plane/fleet/trust.h"

namespace sluice::fleet {

// Where older releases kept the authority; the control plane's own certificate is below it.
std::string PkiFolder(const std::string& state);

// Writes cert.pem, key.pem (0600) and ca.pem (whom its clients are to trust) of an edge certificate into the folder,
// making it where it is missing.
absl::Status IssueEdge(const Trust& trust, const std::vector<std::string>& names, const std::string& folder);

// cert.pem, key.pem and ca.pem of the port that nodes connect to, and STATE/ca.pem for people. The key is as old as the
// object; the certificate follows the authorities, and is new before it gets old.
class ServerFiles {
 public:
  // `address`: of the port; its files are beside those of other replicas that share the folder.
  ServerFiles(std::string state, const std::string& address, std::vector<std::string> names, const Clock& clock);

  // Writes what is not as it should be; cheap where everything is.
  absl::Status Update(const Trust& trust);
  std::string certificate() const { return folder_ + "/cert.pem"; }
  std::string key() const { return folder_ + "/key.pem"; }
  std::string authorities() const { return folder_ + "/ca.pem"; }

 private:
  const std::string state_;
  const std::string folder_;
  const std::vector<std::string> names_;
  const Clock& clock_;
  const x509::Key key_ = x509::MakeKey();
  std::mutex mutex_;
  std::vector<std::string> written_;  // authorities
  WallTime renew_at_{};
};

}  // namespace sluice::fleet
