#pragma once

// Makes the node one of the fleet and keeps it one, on a thread of its own: joins with a token, renews the certificate
// when two thirds of its life are over, takes over whom to trust. Tries again without end; a node whose certificate has
// expired or is refused serves on, says so, and joins again as soon as there is a token that it has not used.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/rpc/server.h"
#include "data-plane/sync/status.h"

namespace sluice::sync {

// Between two tries, at random up to a bound that doubles with every failure.
inline constexpr Duration kFirstMembershipRetry = std::chrono::milliseconds(200);
inline constexpr Duration kMaxJoinRetry = std::chrono::seconds(30);
inline constexpr Duration kMaxRenewRetry = std::chrono::minutes(5);  // and a twentieth of the certificate's life
inline constexpr Duration kMembershipCall = std::chrono::seconds(10);
inline constexpr Duration kMembershipTurn = std::chrono::seconds(1);  // how often it looks whether something is to do

struct MembershipOptions {
  std::vector<std::string> control_planes;  // host:port each, at least one
  std::string node;
  std::string folder;      // STATE/identity
  std::string token_file;  // "": none
};

class Membership {
 public:
  // FAILED_PRECONDITION: what is on the disk is another node's. Errors name the file that cannot be used.
  static absl::StatusOr<std::unique_ptr<Membership>> Start(MembershipOptions options, const Clock& clock,
                                                           Status& status);
  virtual ~Membership() = default;  // stops and joins the thread

  virtual bool joined() const = 0;         // it has a certificate, good or not
  virtual rpc::TlsFiles files() const = 0;  // of use once it has joined; replaced whole when renewed
  // Whom to trust instead of whom it trusted before: PEM, one each, oldest first.
  virtual void Trust(const std::vector<std::string>& authorities) = 0;
};

}  // namespace sluice::sync
