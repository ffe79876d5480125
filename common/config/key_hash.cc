#include "common/config/key_hash.h"

#include <openssl/sha.h>

#include <algorithm>

namespace sluice::config {
namespace {

constexpr std::string_view kPrefix = "sha256:";
constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

std::string HashKey(std::string_view key) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest);
  std::string out(kPrefix);
  for (unsigned char byte : digest) out += {kDigits[byte >> 4], kDigits[byte & 15]};
  return out;
}

bool IsHashedKey(std::string_view key) {
  if (!key.starts_with(kPrefix) || key.size() != kPrefix.size() + 2 * SHA256_DIGEST_LENGTH) return false;
  key.remove_prefix(kPrefix.size());
  return std::all_of(key.begin(), key.end(), [](char c) { return kDigits.find(c) != std::string_view::npos; });
}

}  // namespace sluice::config
