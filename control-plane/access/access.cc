#include "control-plane/access/access.h"

#include <openssl/sha.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "common/base/random.h"
#include "common/schema/text.h"

namespace sluice::access {

namespace {

using schema::Cat;

constexpr std::string_view kTokenPrefix = "slc_";
constexpr size_t kTokenRandomCharacters = 40;
constexpr std::string_view kHelp =
    "send `authorization: Bearer <token>` (sluice: --token-file FILE or SLUICE_TOKEN; the first token is in the "
    "control "
    "plane's state folder, admin-token)";

bool Printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kViewer: return "viewer";
    case Role::kOperator: return "operator";
    case Role::kAdmin: return "admin";
  }
  return "none";
}

absl::StatusOr<Role> ParseRole(std::string_view name) {
  for (const Role role : {Role::kViewer, Role::kOperator, Role::kAdmin}) {
    if (name == RoleName(role)) return role;
  }
  return absl::InvalidArgumentError(Cat("unknown role '", name, "': one of viewer, operator, admin"));
}

std::string NewToken() { return Cat(kTokenPrefix, RandomAlphanumeric(kTokenRandomCharacters)); }

std::string HashToken(std::string_view token) {
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(),
         reinterpret_cast<unsigned char*>(hash.data()));
  return hash;
}

absl::StatusOr<Caller> Access::Authenticate(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.empty()) return absl::UnauthenticatedError(Cat("no token was sent: ", kHelp));
  if (!absl::StartsWithIgnoreCase({authorization.data(), authorization.size()}, {kScheme.data(), kScheme.size()})) {
    return absl::UnauthenticatedError(Cat("the authorization is not a bearer token: ", kHelp));
  }
  const std::string_view token = authorization.substr(kScheme.size());
  if (token.size() < kMinTokenBytes || token.size() > kMaxTokenBytes || !Printable(token)) {
    return absl::UnauthenticatedError(Cat("this cannot be a token: ", kHelp));
  }
  return Lookup(HashToken(token));
}

absl::StatusOr<Caller> Access::Lookup(const std::string& hash) {
  const MonotonicTime now = clock_.Now();
  {
    const std::lock_guard lock(mutex_);
    const auto found = cache_.find(hash);
    if (found != cache_.end() && now - found->second.read < kCacheTtl) return found->second.caller;
  }
  const absl::StatusOr<std::optional<store::TokenRecord>> record = store_.FindToken(hash);
  if (!record.ok()) {
    const std::lock_guard lock(mutex_);
    const auto found = cache_.find(hash);
    if (found != cache_.end() && now - found->second.read < kMaxStale) return found->second.caller;
    return absl::UnavailableError("the token cannot be checked because the database cannot be reached; try again");
  }
  if (!record->has_value()) {
    const std::lock_guard lock(mutex_);
    cache_.erase(hash);
    return absl::UnauthenticatedError(Cat("the token is not known: ", kHelp));
  }
  const absl::StatusOr<Role> role = ParseRole((*record)->role);
  if (!role.ok()) return absl::UnauthenticatedError("the token's role is not known to this version");
  const Caller caller{(*record)->name, *role};
  Remember(hash, caller);
  return caller;
}

void Access::Remember(const std::string& hash, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  if (cache_.size() >= kMaxCached && !cache_.contains(hash)) {
    const auto older = [](const auto& a, const auto& b) { return a.second.read < b.second.read; };
    cache_.erase(std::min_element(cache_.begin(), cache_.end(), older));
  }
  cache_.insert_or_assign(hash, Cached{caller, clock_.Now()});
}

size_t Access::cached() const {
  const std::lock_guard lock(mutex_);
  return cache_.size();
}

}  // namespace sluice::access
