#pragma once

// Who calls: bearer tokens and their roles. A token's text is stored nowhere, only its SHA-256. One object for the
// whole control plane, made by main; callable from every thread; Authenticate may read the database.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "control-plane/store/store.h"

namespace sluice::access {

// Each may do what the one before may.
enum class Role { kViewer = 1, kOperator = 2, kAdmin = 3 };

std::string_view RoleName(Role role);
absl::StatusOr<Role> ParseRole(std::string_view name);

struct Caller {
  std::string name;  // of the token
  Role role = Role::kViewer;
};

inline constexpr size_t kMinTokenBytes = 20;  // shorter or longer texts are refused without asking the database
inline constexpr size_t kMaxTokenBytes = 256;

// A new token's text: "slc_" and 40 letters and digits.
std::string NewToken();
// The 32 bytes that the store keeps and finds it by.
std::string HashToken(std::string_view token);

class Access {
 public:
  static constexpr size_t kMaxCached = 1024;                       // tokens; the oldest makes room
  static constexpr Duration kCacheTtl = std::chrono::seconds(10);  // how long a revoked token may still be taken
  static constexpr Duration kMaxStale = std::chrono::minutes(5);   // the same while the database is away

  Access(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  // `authorization`: the header's value, "Bearer <token>". UNAUTHENTICATED with a sentence that helps; UNAVAILABLE when
  // the token is not known here and the database cannot be asked. No error ever holds the token.
  absl::StatusOr<Caller> Authenticate(std::string_view authorization);

  size_t cached() const;

 private:
  struct Cached {
    Caller caller;
    MonotonicTime read;
  };
  absl::StatusOr<Caller> Lookup(const std::string& hash);
  void Remember(const std::string& hash, const Caller& caller);

  store::Store& store_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Cached> cache_;  // by hash; only tokens that exist
};

}  // namespace sluice::access
