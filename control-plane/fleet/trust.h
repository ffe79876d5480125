#pragma once

// Whom this replica believes: the fleet's authorities and the keys that were revoked, in memory, as the store had them
// when it was last read. One object for the control plane; callable from every thread; Open, Refresh, Rotate and Retire
// read or write the store.

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "control-plane/fleet/authority.h"
#include "control-plane/store/store.h"

namespace sluice::fleet {

// A node, as its certificate describes it.
struct Peer {
  std::string name;
  store::Scope scope = store::Scope::OfCell(store::kDefaultCell);
  std::string key;        // SHA-256 of its public key
  std::string authority;  // id of the one that signed
  WallTime expires;
};

class Trust {
 public:
  Trust(store::Identities& identities, const Clock& clock) : identities_(identities), clock_(clock) {}

  // Reads the authorities, making the first where there is none: from ca.key and ca.pem in `folder` where an older
  // release left them there, which are taken off the disk once the store has them.
  absl::Status Open(const std::string& folder);
  // `changed` runs after every change, on the thread that found or made it. Set before other threads call.
  void OnChange(std::function<void()> changed) { changed_ = std::move(changed); }
  // Reads what has changed. UNAVAILABLE: what was known holds on.
  absl::Status Refresh();
  // Makes the next authority; its id. The errors of store::Identities.
  absl::StatusOr<std::string> Rotate(const store::AuditRecord& audit);
  absl::StatusOr<std::string> Retire(bool force, const store::AuditRecord& audit);

  // Whose certificate that is (PEM; "": none was shown). UNAUTHENTICATED: it is not good. PERMISSION_DENIED: revoked.
  absl::StatusOr<Peer> Identify(const std::string& certificate) const;
  // Whether it still is.
  absl::Status Check(const Peer& peer) const;

  std::shared_ptr<const Authority> newest() const;  // signs nodes' certificates
  std::shared_ptr<const Authority> oldest() const;  // signs the control plane's own, which every node can check
  std::vector<std::string> certificates() const;    // PEM, oldest first
  int64_t revision() const;                         // moves with every change

 private:
  struct State {
    int64_t revision = 0;
    std::vector<std::shared_ptr<const Authority>> authorities;  // oldest first
    absl::flat_hash_set<std::string> revoked;
  };
  std::shared_ptr<const State> state() const;
  absl::Status Read();
  absl::Status AddFirst(const std::string& folder);

  store::Identities& identities_;
  const Clock& clock_;
  std::function<void()> changed_ = [] {};
  std::mutex refresh_mutex_;
  mutable std::mutex mutex_;
  std::shared_ptr<const State> state_ = std::make_shared<State>();
};

}  // namespace sluice::fleet
