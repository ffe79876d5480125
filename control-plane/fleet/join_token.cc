#include "control-plane/fleet/join_token.h"

#include <openssl/sha.h>

#include "common/base/random.h"

namespace sluice::fleet {
namespace {

constexpr std::string_view kPrefix = "slj_";
constexpr size_t kSecretCharacters = 40;
constexpr size_t kFingerprintDigits = 64;
constexpr size_t kSecretEnd = kPrefix.size() + kSecretCharacters;

}  // namespace

std::string NewJoinToken(std::string_view authority) {
  return std::string(kPrefix) + RandomAlphanumeric(kSecretCharacters) + "." + std::string(authority);
}

std::optional<std::string> HashJoinToken(std::string_view token) {
  const bool formed = token.size() == kSecretEnd + 1 + kFingerprintDigits && token.starts_with(kPrefix) &&
                      token[kSecretEnd] == '.';
  if (!formed) return std::nullopt;
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), kSecretEnd,
         reinterpret_cast<unsigned char*>(hash.data()));
  return hash;
}

}  // namespace sluice::fleet
